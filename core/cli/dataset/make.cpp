// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/make.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "cli/dataset/outline.h"
#include "cli/dataset/place.h"
#include "cli/image_file.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

/// Bytes of sources and of targets that stay in memory for the next picture: some ten pictures of 4 megapixels each.
constexpr std::uint64_t kSourceBytes = std::uint64_t{160} << 20, kTargetBytes = std::uint64_t{160} << 20;
constexpr int kMeasured = 12;          // pixels around a layer that the measures read
constexpr std::uint64_t kDrawing = 3;  // this use of the seed

std::uint64_t bytes_of(const cv::Mat& m) { return m.total() * m.elemSize(); }

/// Reads a mask as CV_8UC1: 255 where its coverage is at least 0.5, else 0. Throws Error (input) if its size is not
/// `size`.
cv::Mat read_area(const std::string& path, Size size, const std::string& target, const StopRequested& stop) {
  if (path.empty()) return {};
  const Picture picture = read_picture(path, stop);
  if (picture.size().width != size.width || picture.size().height != size.height)
    throw error(Error::Kind::input,
                _("\"{0}\" is {1} x {2} pixels, but the target \"{3}\" is {4} x {5}: they must be of one size."), path,
                picture.size().width, picture.size().height, target, size.width, size.height);
  const MaskRaster mask(picture);
  cv::Mat area = cv::Mat::zeros(size.height, size.width, CV_8UC1);
  const Rect e = mask.extent();
  if (e.empty()) return area;
  cv::Mat coverage(e.height, e.width, CV_32FC1);
  mask.read(e, {e.width, e.height}, coverage.ptr<float>());
  area(cv::Rect(e.x, e.y, e.width, e.height)).setTo(255, coverage >= 0.5);
  return area;
}

}  // namespace

Maker::Maker(const Plan& plan, const DatasetOptions& options, const Request& base, const StopRequested& stop)
    : plan_(plan), stop_(stop), options_(options), base_(base), sources_(kSourceBytes), targets_(kTargetBytes) {
  for (const std::string& condition : options.keep) keep_.emplace_back(condition);
}

Maker::Source Maker::source(const std::string& colour, const std::string& mask) {
  return sources_.get(
      colour + '\n' + mask, [&] { return std::make_shared<const LoadedReference>(colour, mask, stop_); },
      [](const LoadedReference& r) { return bytes_of(r.picture.pixels) + bytes_of(r.mask_picture.pixels) + r.cache->bytes(); });
}

std::shared_ptr<const Maker::Target> Maker::target(const TargetFiles& files) {
  return targets_.get(
      files.colour,
      [&] {
        auto target = std::make_shared<Target>();
        target->picture = read_picture(files.colour, stop_);
        target->place = read_area(files.place, target->picture.size(), files.colour, stop_);
        target->avoid = read_area(files.avoid, target->picture.size(), files.colour, stop_);
        return std::shared_ptr<const Target>(target);
      },
      [](const Target& t) { return bytes_of(t.picture.pixels) + bytes_of(t.place) + bytes_of(t.avoid); });
}

void Maker::check_source(const SourceFiles& files) {
  const Rect e = source(files.colour, files.mask)->mask.extent();
  const double side = std::min(e.width, e.height) * plan_.spreads().range("scale", base_.placement.scale).first;
  const std::lock_guard<std::mutex> lock(smallest_mutex_);
  smallest_ = std::min(smallest_, side);
}

void Maker::check_target(const TargetFiles& files) {
  const auto loaded = target(files);
  const Size size = loaded->picture.size();
  const double free = std::min(size.width, size.height) - 2.0 * options_.border;
  if (free < smallest_)
    throw error(Error::Kind::input,
                _("\"{0}\" is {1} x {2} pixels, too small for the geometry, which takes {3} pixels at its smallest."),
                files.colour, size.width, size.height, static_cast<int>(std::ceil(smallest_)));
}

bool Maker::draw(Row& row, const Target& target, Random& random) {
  FreeArea free({row.size}, target.place, target.avoid, options_.border);
  const auto [least, most] = plan_.defects();
  const std::size_t count = static_cast<std::size_t>(least) + random.below(static_cast<std::size_t>(most - least + 1));
  for (std::size_t i = 0; i < count; ++i) {
    Defect d;
    // A picture that is drawn again takes another source too, since it may be the source that does not fit.
    const std::size_t slot = row.tries > 1 ? random.below(std::size_t{1} << 20) : i;
    const SourceFiles& files = plan_.source_of(row.index, slot, random);
    d.source = files.colour, d.mask = files.mask, d.kind = files.kind;
    d.settings = plan_.spreads().draw(random);
    const Request request = with_settings(base_, d.settings);
    const Source loaded = source(d.source, d.mask);
    const Footprint footprint =
        footprint_of(loaded->mask, loaded->centre, request.placement, std::max(0.0, request.grow) + request.feather);
    const auto at = free.draw(footprint, random);
    if (!at) return false;
    free.take(footprint, *at, options_.apart);
    d.x = at->x, d.y = at->y;
    row.defects.push_back(std::move(d));
  }
  return true;
}

Layer Maker::layer_of(const Scene& scene, const Request& request) {
  Report report;
  const ProgressCallback progress = [this](const Progress&) { return !stop_(); };
  if (request.correction == 0) return image_part().edit(scene, request, progress, report);
  const std::lock_guard<std::mutex> lock(model_);
  return session_.run(scene, request, progress, report);
}

void Maker::edit(Row& row, Picture& picture, cv::Mat& instances) {
  instances = cv::Mat::zeros(row.size, CV_8UC1);
  for (std::size_t i = 0; i < row.defects.size(); ++i) {
    Defect& d = row.defects[i];
    Request request = with_settings(base_, d.settings);
    request.threads = 1;  // pictures are made at the same time instead
    const Source loaded = source(d.source, d.mask);
    const cv::Point2d centre = loaded->centre;
    request.placement.shift_x = d.x - centre.x;
    request.placement.shift_y = d.y - centre.y;
    validate(request);
    const PictureRaster canvas(picture);
    Reference reference;
    reference.colour = &loaded->colour;
    reference.mask = &loaded->mask;
    reference.cache = loaded->cache.get();
    const Layer layer = layer_of({&canvas, {reference}}, request);
    const Change change = change_of(canvas, layer, kMeasured);
    lay_over(picture, layer);

    cv::Mat there = instances(change.area);
    there.setTo(static_cast<double>(i + 1), change.label & (there == 0));
    const cv::Mat own = there == static_cast<int>(i + 1);
    const cv::Rect box = cv::boundingRect(own);
    d.area = cv::countNonZero(own);
    d.box = d.area > 0 ? box + change.area.tl() : cv::Rect();
    d.runs = run_lengths(own, change.area, row.size);
    d.measures = measure_change(change, row.size);
  }
}

void Maker::write(const Row& row, const Picture& picture, const cv::Mat& instances) {
  std::vector<NewFile> files = label_files(row, instances, plan_.format(), options_.output, plan_.kinds());
  const std::string path = (fs::path(options_.output) / row.picture).string();
  files.push_back({path, encoded(path, picture)});  // last: where it is, its label is
  for (const NewFile& file : files) {
    std::error_code none;
    fs::create_directories(fs::path(file.path).parent_path(), none);
  }
  write_files(files);
}

Row Maker::make(std::size_t index) {
  const bool good = plan_.is_good(index);
  Row row;
  for (int attempt = 0; attempt < (good ? 1 : options_.tries); ++attempt) {
    row = Row();
    row.index = index;
    row.split = plan_.split_of(index);
    row.tries = attempt + 1;
    const TargetFiles& files = plan_.target_of(index);
    row.target = files.colour;
    try {
      const auto loaded = target(files);
      row.size = loaded->picture.pixels.size();
      Random random(options_.seed, {kDrawing, index, static_cast<std::uint64_t>(attempt)});
      if (!good && !draw(row, *loaded, random)) {
        row.error = _("No free place on the target is large enough for the geometry.");
        continue;
      }
      Picture picture = loaded->picture;
      picture.pixels = picture.pixels.clone();
      cv::Mat instances;
      edit(row, picture, instances);
      for (const Defect& d : row.defects) {
        if (d.area == 0) row.error = _("The edit makes no visible change.");
        for (const Condition& condition : keep_)
          if (!condition.holds(d.measures)) row.error = sentence(_("The condition {0} does not hold."), condition.text());
      }
      if (!row.error.empty()) continue;
      name_files(row, plan_.format(), plan_.defects().second > 1, plan_.has_splits());
      write(row, picture, instances);
      return row;
    } catch (const Error& e) {
      row.error = e.what();
      if (e.kind() == Error::Kind::system) break;
    }
  }
  row.error = sentence(_("{0} ({1} draws)"), row.error, row.tries);
  return row;
}

Row Maker::make_again(Row row) try {
  if (row.picture.empty()) return row;  // it failed when it was drawn, and says why
  row.error.clear();
  const auto loaded = target({row.target, "", ""});
  if (row.size != loaded->picture.pixels.size())
    throw error(Error::Kind::input, _("\"{0}\" is {1} x {2} pixels, but the manifest says {3} x {4}."), row.target,
                loaded->picture.pixels.cols, loaded->picture.pixels.rows, row.size.width, row.size.height);
  Picture picture = loaded->picture;
  picture.pixels = picture.pixels.clone();
  cv::Mat instances;
  edit(row, picture, instances);
  write(row, picture, instances);
  return row;
} catch (const Error& e) {
  row.error = e.what();
  return row;
}

}  // namespace geometry_transfer::cli
