// SPDX-License-Identifier: GPL-3.0-or-later
/// The library as hosts use it:
///
///   Scene    the pictures on the canvas: the target, and references with their masks
///   Request  what to do with them (request.h)
///   Session  runs requests and keeps the model between them
///
/// Two shared objects do the work. They are opened at first use: the image part (OpenCV: working rectangle, edit,
/// preview, composite) and the diffusion part on top of it (libtorch). A host links neither, so it starts fast. A
/// missing library gives an Error with its name, not a host that fails to start.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "error.h"
#include "image.h"
#include "models.h"
#include "progress.h"
#include "request.h"

namespace geometry_transfer {

/// Keeps what was computed for one reference and is needed again, above all its layers. Several threads may use it.
class KeptReference {
 public:
  virtual ~KeptReference() = default;
  virtual std::uint64_t bytes() const = 0;  ///< memory of what is kept
};

struct Reference {
  enum class Role {
    geometry,  ///< the geometry under its mask is transferred
    texture,   ///< a further example of the target's material, for keys and values only; its mask may be null (all of it)
  };
  const Raster* colour = nullptr;
  const Raster* mask = nullptr;
  Role role = Role::geometry;
  Placement placement;             ///< applied before Request::placement, about this reference's own mask
  double weight = 1;               ///< of its keys against those of the others, > 0
  KeptReference* cache = nullptr;  ///< from ImagePart::keep_reference(): a reference placed often is split once; may be null
};

/// Holds borrowed pointers. The rasters must outlive the call, and a Preview made from them.
struct Scene {
  const Raster* target = nullptr;
  std::vector<Reference> references;  ///< at least one with the role geometry; the first is the paper's `source`
};

/// A live view of the edit: the result of Instant at the size of a widget.
class Preview {
 public:
  virtual ~Preview() = default;
  struct View {
    Rect area;                       ///< the shown part of the canvas, fixed for the life of the preview
    Size size;                       ///< pixels
    std::vector<unsigned char> rgb;  ///< size.width * size.height * 3, R'G'B' 8 bit
  };
  /// Renders the target with the edit at the request's placement, colour and feather. Takes tens of milliseconds, so it
  /// can follow a drag. If the geometry leaves the target, its visible part is drawn; that is never an Error.
  virtual const View& render(const Request& request) = 0;
  /// Returns what the last render() decided for the first geometry.
  virtual const GeometryDecisions& decided() const = 0;
  /// Returns the bare target in the same view.
  virtual const View& target() = 0;
};

/// libgeometry-transfer-image: needs OpenCV only.
class ImagePart {
 public:
  virtual ~ImagePart() = default;
  /// Runs the edit only (the preset Instant) and composites it. Throws Error or Cancelled.
  virtual Layer edit(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) const = 0;
  /// Splits a result into layers, from bottom to top. Blended one after the other over the scene's target, in R'G'B',
  /// they give the same picture as `result`. When the target changes below them, shade and own material follow it.
  /// Layers that change nothing are left out. `result` is what edit() or a model returned for the same scene and
  /// request. Throws as edit() does.
  virtual std::vector<BlendLayer> separate(const Scene& scene, const Request& request, const Layer& result) const = 0;
  /// Makes a preview of at most `bounds` pixels. It shows the target around the placed geometry, with room to drag.
  virtual std::unique_ptr<Preview> preview(const Scene& scene, Size bounds, const Placement& placement = {}) const = 0;
  /// Makes an empty one, for Reference::cache.
  ///   limit   bytes of pixels, and of layers, that it keeps
  ///   fixed   true: the reference's pixels and mask never change, so they are read once. If the reference is placed
  ///           smaller than it is, the size of the split is rounded up to the next step of 2^(1/4), so that random
  ///           scales share splits. false: they are read for each edit or preview, and split if they differ.
  virtual std::unique_ptr<KeptReference> keep_reference(std::uint64_t limit, bool fixed) const = 0;
};

/// A loaded model.
class Transfer {
 public:
  virtual ~Transfer() = default;
  virtual Layer run(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) = 0;
  /// True if it was loaded for this request's model, precision and threads.
  virtual bool fits(const Request& request) const = 0;
};

/// libgeometry-transfer: needs libtorch.
class DiffusionPart {
 public:
  virtual ~DiffusionPart() = default;
  virtual std::unique_ptr<Transfer> load(const Request& request, const ProgressCallback& progress, Report& report) const = 0;
};

/// Open a part at first use. Throw Error (system) with the loader's reason and the way out.
const ImagePart& image_part();
const DiffusionPart& diffusion_part();

/// Runs requests, and keeps the model of the last one. Not thread safe: one request at a time.
class Session {
 public:
  /// Validates and edits. If request.correction > 0, loads the model, unless it is kept from the last request, and adds
  /// its correction.
  Layer run(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report);
  /// Frees the kept model.
  void release() { transfer_.reset(); }
  bool warm(const Request& request) const { return transfer_ && transfer_->fits(request); }

 private:
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace geometry_transfer
