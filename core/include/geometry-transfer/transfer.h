// SPDX-License-Identifier: GPL-3.0-or-later
/// The library, as hosts use it:
///
///   Scene    what lies on the canvas: the target, and references with their masks
///   Request  what to do with it (request.h)
///   Session  runs requests, keeps the model between them
///
/// Two shared objects do the work and are opened at first use: the image part (OpenCV: working rectangle, edit, preview,
/// composite) and the diffusion part on top of it (libtorch). A host links neither, starts fast, and gets an Error that names the
/// missing library instead of failing to start.
#pragma once

#include <memory>
#include <vector>

#include "error.h"
#include "image.h"
#include "models.h"
#include "progress.h"
#include "request.h"

namespace geometry_transfer {

struct Reference {
  enum class Role {
    geometry,  ///< what lies under its mask is carried over
    texture,   ///< one more example of the target's material: keys and values only; its mask may be null (all of it)
  };
  const Raster* colour = nullptr;
  const Raster* mask = nullptr;
  Role role = Role::geometry;
  Placement placement;  ///< applied before Request::placement, about this reference's own mask
  double weight = 1;    ///< of its keys against the others', > 0
};

/// Borrowed pointers: the rasters must outlive the call they are passed to (and a Preview made from them).
struct Scene {
  const Raster* target = nullptr;
  std::vector<Reference> references;  ///< at least one with role geometry; the first is `source` in the paper
};

/// The edit, live: what Instant would give, at the size of a widget.
class Preview {
 public:
  virtual ~Preview() = default;
  struct View {
    Rect area;                       ///< of the canvas that is shown, fixed for the life of the preview
    Size size;                       ///< pixels
    std::vector<unsigned char> rgb;  ///< size.width * size.height * 3, R'G'B' 8 bit
  };
  /// Target with the edit at request's placement, colour and feather. Meant for every drag event: tens of milliseconds.
  /// Placements that leave the target are drawn as far as they are visible, never an Error.
  virtual const View& render(const Request& request) = 0;
  /// The bare target, same view.
  virtual const View& target() = 0;
};

/// libgeometry-transfer-image: needs OpenCV only.
class ImagePart {
 public:
  virtual ~ImagePart() = default;
  /// The edit alone (the Instant preset), composited. Throws Error or Cancelled.
  virtual Layer edit(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) const = 0;
  /// `bounds` is the largest size the view may have. Shows the target round the geometry as it is placed, with room to drag.
  virtual std::unique_ptr<Preview> preview(const Scene& scene, Size bounds, const Placement& placement = {}) const = 0;
};

/// A loaded model.
class Transfer {
 public:
  virtual ~Transfer() = default;
  virtual Layer run(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) = 0;
  /// True when it was loaded for this request's model, precision and threads.
  virtual bool fits(const Request& request) const = 0;
};

/// libgeometry-transfer: needs libtorch.
class DiffusionPart {
 public:
  virtual ~DiffusionPart() = default;
  virtual std::unique_ptr<Transfer> load(const Request& request, const ProgressCallback& progress, Report& report) const = 0;
};

/// Open the part at first use; throw Error (system) with the loader's reason and the way out.
const ImagePart& image_part();
const DiffusionPart& diffusion_part();

/// Runs requests and keeps the model of the last one. Not thread safe; one at a time.
class Session {
 public:
  /// Validates, edits, and where request.correction > 0 loads the model (unless it is the one kept) and corrects.
  Layer run(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report);
  /// Gives the kept model's memory back.
  void release() { transfer_.reset(); }
  bool warm(const Request& request) const { return transfer_ && transfer_->fits(request); }

 private:
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace geometry_transfer
