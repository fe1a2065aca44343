// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <mutex>
#include <opencv2/core/utility.hpp>
#include <thread>

#include "cli/dataset/make.h"
#include "cli/dataset/manifest.h"
#include "cli/output_file.h"
#include "request/stopwatch.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

/// Calls `work` with 0 .. count - 1 on `threads` threads, and `watch` on this one a few times a second. If `watch`
/// returns false, no new number begins. The first exception of `work` ends the loop and is thrown again.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
                  const std::function<bool()>& watch) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t running = static_cast<std::size_t>(threads);
  std::exception_ptr thrown;
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&] {
      try {
        for (std::size_t i; !stopped && (i = next++) < count;) work(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!thrown) thrown = std::current_exception();
        stopped = true;
      }
      const std::lock_guard<std::mutex> lock(mutex);
      --running;
      ended.notify_all();
    });
  {
    std::unique_lock<std::mutex> lock(mutex);
    while (running > 0) {
      ended.wait_for(lock, std::chrono::milliseconds(200), [&] { return running == 0; });
      lock.unlock();
      if (!watch()) stopped = true;
      lock.lock();
    }
  }
  for (std::thread& thread : pool) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

/// Reads every input once. Returns those that cannot be used.
std::vector<LeftOut> unusable(const Plan& plan, Maker& maker, int threads, ProgressLine& line) {
  std::mutex mutex;
  std::vector<LeftOut> found;
  const auto check = [&](const std::string& file, const auto& look) {
    try {
      look();
    } catch (const Error& e) {
      const std::lock_guard<std::mutex> lock(mutex);
      found.push_back({file, e.what()});
    }
  };
  const std::size_t sources = plan.sources().size(), targets = plan.targets().size();
  const auto all = [&](std::size_t count, const auto& work) {
    std::atomic<std::size_t> done{0};
    parallel_for(
        count, threads,
        [&](std::size_t i) {
          work(i);
          ++done;
        },
        [&] { return line.show(static_cast<double>(done) / static_cast<double>(count), _("Reading the inputs")); });
    if (done < count) throw Cancelled();
  };
  all(sources, [&](std::size_t i) { check(plan.sources()[i].colour, [&] { maker.check_source(plan.sources()[i]); }); });
  all(targets, [&](std::size_t i) { check(plan.targets()[i].colour, [&] { maker.check_target(plan.targets()[i]); }); });
  std::sort(found.begin(), found.end(), [](const LeftOut& a, const LeftOut& b) { return a.file < b.file; });
  return found;
}

void say(ProgressLine& line, const std::string& text) {
  line.clear();
  std::fprintf(stderr, "geometry-transfer: %s\n", printable(text).c_str());
}

/// Removes the temporary files that a killed process of this shard left. They are NAME.ENDING.XXXXXX (output_file.h),
/// and NAME begins with the picture's index.
void remove_leftovers(const std::string& folder, const std::vector<std::size_t>& missing) {
  constexpr std::size_t kDigits = 6, random = 7;  // ".XXXXXX"
  std::error_code none;
  for (fs::recursive_directory_iterator at(folder, none), end; !none && at != end; at.increment(none)) {
    const std::string name = at->path().filename().string();
    const bool numbered = name.size() > kDigits + random && name.find_first_not_of("0123456789") >= kDigits;
    if (!numbered || name[name.size() - random] != '.' || !at->is_regular_file(none)) continue;
    const std::size_t index = std::stoull(name.substr(0, std::min(name.find_first_not_of("0123456789"), std::size_t{18})));
    if (std::binary_search(missing.begin(), missing.end(), index)) fs::remove(at->path(), none);
  }
}

/// Makes the rows that are not there, and writes each one's line when its files are there.
void make_missing(const std::vector<std::size_t>& missing, const std::function<Row(std::size_t)>& make, PartFile& part,
                  std::vector<Row>& rows, int threads, ProgressLine& line) {
  std::mutex mutex;
  std::size_t finished = 0;
  const Stopwatch clock;
  bool goes_on = true;
  parallel_for(
      missing.size(), threads,
      [&](std::size_t i) {
        Row row;
        try {
          row = make(missing[i]);
        } catch (const Cancelled&) {
          return;  // it is missing, which is said below
        }
        const std::lock_guard<std::mutex> lock(mutex);
        part.add(row);
        rows.push_back(std::move(row));
        ++finished;
      },
      [&] {
        const std::lock_guard<std::mutex> lock(mutex);
        const double speed = static_cast<double>(finished) / std::max(clock.seconds(), 1e-3);
        std::string text = sentence(_("{0} of {1} pictures"), finished, missing.size());
        if (finished > 0)
          text += ", " + sentence(_("{0} a second, {1} s left"), fmt::format("{:.1f}", speed),
                                  static_cast<long long>(static_cast<double>(missing.size() - finished) / speed + 0.5));
        goes_on = line.show(static_cast<double>(finished) / static_cast<double>(std::max<std::size_t>(1, missing.size())), text);
        return goes_on;
      });
  if (finished < missing.size()) {
    say(line, sentence(_("Interrupted: {0} of {1} pictures are finished. Run the same command to continue."), rows.size(),
                       rows.size() + missing.size() - finished));
    throw Cancelled();
  }
}

/// Returns the indices of this shard's pictures that are not among `rows`.
std::vector<std::size_t> missing_of(const std::vector<Row>& rows, std::size_t count, std::pair<int, int> shard) {
  std::vector<bool> there(count, false);
  for (const Row& row : rows)
    if (row.index < count) there[row.index] = true;
  std::vector<std::size_t> missing;
  const auto parts = static_cast<std::size_t>(shard.second), own = static_cast<std::size_t>(shard.first - 1);
  for (std::size_t i = own; i < count; i += parts)
    if (!there[i]) missing.push_back(i);
  return missing;
}

/// Reports the pictures that could not be made. Returns their number.
std::size_t report_failures(const std::vector<Row>& rows, ProgressLine& line) {
  std::size_t failed = 0;
  for (const Row& row : rows)
    if (!row.error.empty()) {
      say(line, sentence(_("Picture {0} on {1}: {2}"), row.index, row.target, row.error));
      ++failed;
    }
  return failed;
}

/// Writes the files that belong to the whole set: annotations, and the manifest if there are several shards.
void write_index(const std::vector<Row>& rows, const Head& head, const Plan& plan, const DatasetOptions& options,
                 const ManifestFiles& files) {
  std::vector<Row> good;
  for (const Row& row : rows)
    if (row.error.empty()) good.push_back(row);
  std::vector<NewFile> index = index_files(good, plan.format(), options.output, plan.kinds());
  std::error_code none;
  for (const NewFile& file : index) fs::create_directories(fs::path(file.path).parent_path(), none);
  if (options.shard.second > 1) index.push_back(manifest_file(files.whole(), head, rows));
  write_files(index);
}

void print_summary(std::size_t pictures, std::size_t failed, std::size_t left_out, double seconds) {
  std::fprintf(stderr, "%s\n",
               sentence(_("{0} pictures in {1} s ({2} a second), {3} failed, {4} inputs left out"),
                        pictures - std::min(failed, pictures), fmt::format("{:.1f}", seconds),
                        fmt::format("{:.1f}", static_cast<double>(pictures) / std::max(seconds, 1e-3)), failed, left_out)
                   .c_str());
}

}  // namespace

int run_dataset(const DatasetOptions& asked, const Request& base, bool quiet, ProgressLine& line) {
  DatasetOptions options = asked;
  const Stopwatch clock;
  const int threads = base.threads > 0 ? base.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  cv::setNumThreads(1);  // pictures are made at the same time instead

  // 1. Find all pictures: a plan from the inputs, or the rows of a manifest.
  Manifest given;
  if (!options.manifest.empty()) {
    given = read_manifest(options.manifest);
    options.format = given.head.format;
  }
  std::error_code none;
  fs::create_directories(options.output, none);
  Plan plan = options.manifest.empty() ? Plan(options) : Plan(options, given.head.kinds);
  Maker maker(plan, options, base, line.stop_requested());
  Head head;
  if (options.manifest.empty()) {
    head.left_out = unusable(plan, maker, threads, line);
    plan.divide(head.left_out);
    head.options = options_json(options);
    head.count = plan.count();
  } else {
    head = given.head;
  }
  head.format = options.format;
  head.kinds = plan.kinds();
  for (const LeftOut& out : head.left_out) say(line, sentence(_("Left out: {0}: {1}"), out.file, out.why));

  // 2. Find this shard's pictures that do not exist yet.
  const ManifestFiles files(options.output, options.shard);
  PartFile part(files.part(), files.own(), head);
  std::vector<Row> rows = part.rows();
  const std::vector<std::size_t> missing = missing_of(rows, head.count, options.shard);
  remove_leftovers(options.output, missing);

  // 3. Make them.
  const std::function<Row(std::size_t)> make = [&](std::size_t i) {
    return options.manifest.empty() ? maker.make(i) : maker.make_again(given.rows.at(i));
  };
  make_missing(missing, make, part, rows, threads, line);
  line.clear();

  // 4. Put the lines in order. The shard that ends last writes the files of the whole set.
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.index < b.index; });
  part.finish(rows);
  const std::size_t failed = report_failures(rows, line);
  if (const auto all = files.gathered(head)) write_index(*all, head, plan, options, files);
  if (!quiet) print_summary(missing.size(), failed, head.left_out.size(), clock.seconds());
  return failed > 0 || !head.left_out.empty() ? 1 : 0;
}

}  // namespace geometry_transfer::cli
