// SPDX-License-Identifier: GPL-3.0-or-later
/// The image part's stages as the pipeline calls them: values in, values out. cv::Mat is CV_32FC3 R'G'B' (not OpenCV's BGR order)
/// or CV_32FC1, in [0,1] unless said otherwise.
///
/// Two resolutions: `target` has the rectangle's own; masks and geometries have `view`, which is the same unless the rectangle is
/// so large (above 8 million pixels) that reading every reference at full size would blow memory and time. What is decided at the
/// view's size is scaled up and applied to the target's own pixels. Resize before mixing the two.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "geometry-transfer/transfer.h"
#include "image/kept_reference.h"
#include "request/library.h"

namespace geometry_transfer {

/// The part of the canvas that is worked on, and the size a model sees it at.
struct WorkingArea {
  Rect rect;              ///< canvas pixels, inside the target
  Size model;             ///< pixels; sides are multiples of `granularity`, the longer one is working_size of the native side
  double mask_share = 0;  ///< of rect, [0,1]
};

/// Everything read from the hosts' rasters, once. Pixels that a layer lacks (transparent, outside it, no finite number) are
/// filled smoothly from those it has.
struct WorkingImages {
  WorkingArea area;
  cv::Size view;         ///< of everything but the target
  cv::Mat target;        ///< CV_32FC3, area.rect's size
  cv::Mat target_alpha;  ///< CV_32FC1, area.rect's size; empty when the target is opaque there
  struct Geometry {
    cv::Mat placed, placed_mask;  ///< the reference after its placement, over the rectangle; mask grown and in [0,1]
    cv::Mat placed_known;         ///< CV_32FC1, 0 where placed was filled; empty when all is known
    cv::Mat source;  ///< the reference as it lies, same size and scale, its mask in the middle; empty where nothing reads it
    double weight = 1;
    double pixels_per_canvas = 1;             ///< view pixels a canvas pixel
    Kept* kept = nullptr;                     ///< of the reference, or null
    std::shared_ptr<const NamedPatch> patch;  ///< the reference as it lies; Colour::shading, else null
    Affine place = kIdentity;                 ///< reference's canvas -> target's canvas
    double placed_scale = 1;                  ///< of `place`
  };
  std::vector<Geometry> geometries;  ///< at least one
  struct Texture {
    cv::Mat pixels;
    double weight = 1;
  };
  std::vector<Texture> textures;  ///< none where the edit is all that is asked for
  cv::Mat mask;                   ///< union of the placed masks
};

/// Throws Error (input): empty selection, selection outside its reference, geometry outside the target, sides of no size.
/// `native_side`: the model's pixels a side (256 for the surface model); `granularity`: what its sides must be multiples of.
GT_EXPORT WorkingImages read_working_images(const Scene& scene, const Request& request, int native_side, int granularity);

/// The editing stage: the target with the geometry edited onto it, over the rectangle; outside the grown mask the target itself.
/// mean, surround: the paper's I_geo pasted; shading: relief on the target's own pixels.
GT_EXPORT cv::Mat edit(const WorkingImages& views, const Request& request);

/// The part of a model's correction that deepens what the edit already darkened: contact shadow. Luma alone, so the target's hue
/// stays; brightening and changes of untouched texture are left out, which is where a small model re-makes what the edit had kept
/// exact. So is what the edit made deep: the share is the 4th power of the light that it left. All CV_32FC3 of one size;
/// `difference` is what the model would add to `edited`.
GT_EXPORT cv::Mat shadows_only(const cv::Mat& difference, const cv::Mat& edited, const cv::Mat& target);

/// How many threads these stages use, 0: as many as there are cores. Never more: what OpenCV runs them by warns on stderr then.
GT_EXPORT void use_threads(int threads);

/// See ImagePart::separate().
std::vector<BlendLayer> separate(const WorkingImages& views, const Request& request, const Layer& result);

/// `pixels` (over views.area.rect) with feathered alpha, cropped to where alpha is not 0.
GT_EXPORT Layer composite(const WorkingImages& views, const cv::Mat& pixels, const Request& request);

}  // namespace geometry_transfer
