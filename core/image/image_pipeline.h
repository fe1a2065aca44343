// SPDX-License-Identifier: GPL-3.0-or-later
/// Declares the stages of the image part. They are functions without state. cv::Mat is CV_32FC3 R'G'B' (not OpenCV's
/// BGR order) or CV_32FC1, in [0,1] unless said otherwise.
///
/// Two resolutions: `target` has the rectangle's own; masks and geometries have `view`. `view` is the rectangle's size
/// up to 8 million pixels and 16384 pixels a side. Above, it is smaller, which bounds memory and time. Layers and masks
/// of the view's size are scaled up and applied to the target's own pixels. Resize before mixing the two.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "geometry-transfer/transfer.h"
#include "image/kept_reference.h"
#include "request/library.h"

namespace geometry_transfer {

/// The working rectangle, which is the part of the canvas that a transfer reads, and its size for a model.
struct WorkingArea {
  Rect rect;              ///< canvas pixels, inside the target
  Size model;             ///< what the model sees, pixels; multiples of `granularity`
  double mask_share = 0;  ///< of rect, [0,1]
};

/// All pictures that a transfer needs, each read once. Pixels that are transparent, outside the layer or not finite are
/// filled smoothly from known ones.
struct WorkingImages {
  WorkingArea area;
  cv::Size view;         ///< of everything but the target
  cv::Mat target;        ///< CV_32FC3, area.rect's size
  cv::Mat target_alpha;  ///< CV_32FC1, area.rect's size; empty if the target is opaque there
  struct Geometry {
    cv::Mat placed, placed_mask;  ///< the reference after its placement, over the rectangle; mask grown and in [0,1]
    cv::Mat placed_known;         ///< CV_32FC1, 0 where placed was filled; empty if all is known
    cv::Mat source;  ///< the unplaced reference, same size and scale, its mask in the middle; empty if nothing reads it
    double weight = 1;
    double pixels_per_canvas = 1;             ///< view pixels per canvas pixel, (0, 1]
    ReferenceCache* cache = nullptr;          ///< of the reference, or null
    std::shared_ptr<const NamedPatch> patch;  ///< the unplaced reference; null unless Colour::shading
    Affine place = kIdentity;                 ///< reference's canvas -> target's canvas
    double placed_scale = 1;                  ///< of `place`
  };
  std::vector<Geometry> geometries;  ///< at least one
  struct Texture {
    cv::Mat pixels;
    double weight = 1;
  };
  std::vector<Texture> textures;  ///< empty if request.correction is 0
  cv::Mat mask;                   ///< union of the placed masks
};

/// Throws Error (input) if a layer or a selection is empty, or if nothing lands on visible pixels of the target; Error
/// (system) if memory is short. `native_side`: the model's pixels a side (256 for the surface model); `granularity`:
/// its sides must be multiples of this.
GT_EXPORT WorkingImages read_working_images(const Scene& scene, const Request& request, int native_side, int granularity);

/// Returns the target with the geometry, over the rectangle. Pixels outside the feathered mask equal the target.
/// Colours `mean` and `surround` paste the colour-shifted reference (I_geo in the paper). `shading` changes the
/// target's own pixels by the layers. `decided` receives the first geometry's decisions, unless it is null.
GT_EXPORT cv::Mat edit(const WorkingImages& images, const Request& request, GeometryDecisions* decided = nullptr);

/// Returns the darkening in `difference`, in luma, so that the target's hue stays: contact shadows. It is scaled by the
/// edit's own darkening, because elsewhere a small model only changes the target's texture. It is also scaled
/// by (luma after / luma before the edit)^4, so that deep shadows get no deeper. All CV_32FC3 of one size;
/// `difference` is what the model would add to `edited`.
GT_EXPORT cv::Mat shadows_only(const cv::Mat& difference, const cv::Mat& edited, const cv::Mat& target);

/// Sets the number of threads of these stages, 1 to the number of cores; 0 means all cores. More would make OpenCV warn
/// on stderr.
GT_EXPORT void use_threads(int threads);

/// See ImagePart::separate().
std::vector<BlendLayer> separate(const WorkingImages& images, const Request& request, const Layer& result);

/// Returns `pixels` (over images.area.rect) with feathered alpha, cropped to the box of alpha > 0.
GT_EXPORT Layer composite(const WorkingImages& images, const cv::Mat& pixels, const Request& request);

}  // namespace geometry_transfer
