// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/batch.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/input_file.h"
#include "geometry-transfer/progress.h"
#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFields = 1000;  // limit of the fields in one job; about 50 names exist

/// Sets one field of a job by its column name. Relative paths start at `folder`.
void set_field(Job& job, const std::string& name, const std::string& text, const fs::path& folder) {
  if (text.find('\0') != std::string::npos)
    throw error(Error::Kind::input, _("\"{0}\" holds a NUL character, which file names cannot hold."), name);
  const auto path = [&] { return text.empty() ? text : (folder / text).string(); };  // `/` keeps an absolute text
  const auto reference = [&]() -> ReferenceFiles& {
    return job.references.empty() ? job.references.emplace_back() : job.references[0];
  };
  if (name == "target")
    job.target = path();
  else if (name == "source")
    job.source = path();
  else if (name == "mask")
    job.mask = path();
  else if (name == "output")
    job.output = path();
  else if (name == "layer")
    job.layer = path();
  else if (name == "layers")
    job.layers = path();
  else if (name == "label")
    job.label = path();
  else if (name == "reference" || name == "reference-mask") {
    if (!text.empty()) (name == "reference" ? reference().colour : reference().mask) = path();
  } else if (name == "texture") {
    if (!text.empty()) job.textures = {path()};
  } else if (name == "at") {
    if (!text.empty()) job.at = parse_at(text);
  } else if (!find_parameter(name))
    throw error(Error::Kind::input, _("There is no parameter \"{0}\"."), name);
  else if (!text.empty())
    job.settings.emplace_back(name, text);
}

/// Builds a job with `fill` and checks it. Errors get the list's path and the line or entry (`place`) in front.
template <class Fill>
Job checked_job(const std::string& path, std::size_t place, Fill fill) {
  try {
    Job job;
    fill(job);
    if (job.target.empty() || job.source.empty() || job.mask.empty() ||
        (job.output.empty() && job.layer.empty() && job.layers.empty()))
      throw error(Error::Kind::input, _("target, source, mask and output are needed."));
    for (const ReferenceFiles& files : job.references)
      if (files.colour.empty() || files.mask.empty())
        throw error(Error::Kind::input, _("There are {0} --reference but {1} {2}: give one {2} for each --reference."),
                    files.colour.empty() ? 0 : 1, files.mask.empty() ? 0 : 1, "--reference-mask");
    with_settings(Request{}, job.settings);
    return job;
  } catch (const Error& e) {
    throw error(Error::Kind::input, "{0}:{1}: {2}", path, place, e.what());
  }
}

std::vector<std::string> split_at_tabs(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line)
    if (c == '\t')
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  return cells;
}

/// The jobs of one list. Their number is bounded, so that a short line many times over does not fill the memory.
class JobList {
 public:
  JobList(const std::string& path, const StopRequested& stop) : path_(path), stop_(stop) {}

  template <class Fill>
  void add(std::size_t place, Fill fill) {
    if (stop_ && stop_()) throw Cancelled();
    if (jobs.size() == kMostJobs)
      throw error(Error::Kind::input, _("\"{0}\" holds more than {1} jobs: split it."), path_, kMostJobs);
    jobs.push_back(checked_job(path_, place, fill));
  }

  std::vector<Job> jobs;

 private:
  static constexpr std::size_t kMostJobs = 100000;
  const std::string& path_;
  const StopRequested& stop_;
};

std::vector<Job> read_tsv(const std::string& path, const std::string& text, const StopRequested& stop) {
  JobList list(path, stop);
  std::vector<std::string> header;
  std::size_t begin = 0;
  static constexpr char mark[] = "\xEF\xBB\xBF";  // spreadsheets put it before UTF-8; the JSON reader skips it by itself
  if (text.compare(0, 3, mark) == 0) begin = 3;
  for (std::size_t number = 1; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of("\t\r ") == std::string::npos || line[0] == '#') continue;
    const auto columns = static_cast<std::size_t>(std::count(line.begin(), line.end(), '\t')) + 1;
    if (columns > kMostFields)
      throw error(Error::Kind::input, "{0}:{1}: {2}", path, number,
                  sentence(_("{0} cells, but the header names {1}."), columns, header.size()));
    const std::vector<std::string> cells = split_at_tabs(line);
    if (header.empty()) {
      header = cells;
      continue;
    }
    list.add(number, [&](Job& job) {
      if (cells.size() > header.size())
        throw error(Error::Kind::input, _("{0} cells, but the header names {1}."), cells.size(), header.size());
      for (std::size_t i = 0; i < cells.size(); ++i) set_field(job, header[i], cells[i], fs::path(path).parent_path());
    });
  }
  return std::move(list.jobs);
}

/// Takes the parser's events: an array of objects with texts, numbers and booleans. Nested values are refused, so their
/// depth and number cost no memory. Every event returns true to go on.
class JsonJobs : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonJobs(const std::string& path, const StopRequested& stop) : list(path, stop), path_(path) {}

  bool null() override { return value(std::nullopt); }
  bool boolean(bool given) override { return value(given ? "true" : "false"); }
  bool number_integer(number_integer_t given) override { return value(std::to_string(given)); }
  bool number_unsigned(number_unsigned_t given) override { return value(std::to_string(given)); }
  bool number_float(number_float_t, const string_t& text) override { return value(text); }
  bool string(string_t& text) override { return value(text); }
  bool binary(binary_t&) override { return value(std::nullopt); }
  bool start_array(std::size_t) override {
    if (in_list_) return value(std::nullopt);
    return in_list_ = true;
  }
  bool end_array() override { return true; }
  bool start_object(std::size_t) override {
    if (!in_list_) return false;
    if (in_job_) return value(std::nullopt);
    fields_.clear();
    return in_job_ = true;
  }
  bool key(string_t& name) override {
    name_ = name;
    return true;
  }
  bool end_object() override {
    in_job_ = false;
    list.add(place(), [&](Job& job) {
      for (const auto& [name, text] : fields_) set_field(job, name, text, fs::path(path_).parent_path());
    });
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

  JobList list;

 private:
  std::size_t place() const { return list.jobs.size() + 1; }
  /// `text`: nothing for null, lists and nested objects.
  bool value(const std::optional<std::string>& text) {
    if (!in_list_) return false;
    if (in_job_ && text && fields_.size() < kMostFields) {
      fields_.emplace_back(name_, *text);
      return true;
    }
    checked_job(path_, place(), [&](Job&) {
      if (!in_job_) throw error(Error::Kind::input, _("A job is an object with target, source, mask and output."));
      if (text) throw error(Error::Kind::input, _("A job has more than {0} values."), kMostFields);
      throw error(Error::Kind::input, _("\"{0}\" must be a text or a number."), name_);
    });
    return false;
  }

  const std::string& path_;
  std::string name_;
  Settings fields_;
  bool in_list_ = false, in_job_ = false;
};

std::vector<Job> read_json(const std::string& path, const std::string& text, const StopRequested& stop) {
  JsonJobs jobs(path, stop);
  if (!nlohmann::json::sax_parse(text, &jobs)) throw error(Error::Kind::input, _("\"{0}\" is not a JSON array of jobs."), path);
  return std::move(jobs.list.jobs);
}

/// The list's text. Refuses what is no regular file without waiting for it, and a list that is too long before reading
/// it.
std::string read_text(const std::string& path, const StopRequested& stop) {
  constexpr std::size_t kMostMegabytes = 64;
  const InputFile file(path);
  if (file.size() > kMostMegabytes << 20)
    throw error(Error::Kind::input, _("\"{0}\" has {1} MB: lists of up to {2} MB are read. Split it."), path, file.size() >> 20,
                kMostMegabytes);
  const Bytes bytes = file.read(file.size(), stop);
  return std::string(bytes.begin(), bytes.end());
}

/// Finds NAME.png, NAME.tiff and so on in `folder`. Returns "" when there is none. A dangling link counts: its job then
/// fails with a message.
std::string find_picture(const fs::path& folder, const std::string& name) {
  std::error_code none;
  for (const char* ending : {".png", ".tiff", ".tif", ".jpg", ".jpeg"})
    if (fs::exists(fs::symlink_status(folder / (name + ending), none))) return (folder / (name + ending)).string();
  return "";
}

std::vector<Job> read_folder(const fs::path& folder, const std::string& output_folder, const StopRequested& stop) {
  if (output_folder.empty()) throw error(Error::Kind::input, _("A batch from a folder needs --output FOLDER for its results."));
  std::vector<fs::path> case_folders;
  std::error_code failed, none;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    if (stop && stop())
      throw Cancelled();
    else if (at->is_directory(none))
      case_folders.push_back(at->path());
  if (failed) throw error(Error::Kind::input, _("\"{0}\" cannot be opened: {1}."), folder.string(), failed.message());
  std::sort(case_folders.begin(), case_folders.end());
  std::vector<Job> jobs;
  for (const fs::path& case_folder : case_folders) {
    Job job;
    job.target = find_picture(case_folder, "target");
    job.source = find_picture(case_folder, "source");
    job.mask = find_picture(case_folder, "mask");
    if (job.target.empty() || job.source.empty() || job.mask.empty()) continue;
    const std::string ending = fs::path(job.target).extension().string();
    job.output = (fs::path(output_folder) / (case_folder.filename().string() + (ending[1] == 't' ? ending : ".png"))).string();
    jobs.push_back(job);
  }
  // If it cannot be created, writing the first result fails with a message.
  if (!jobs.empty()) fs::create_directory(output_folder, none);
  return jobs;
}

}  // namespace

std::pair<double, double> parse_at(const std::string& text) {
  const std::size_t comma = text.find(',');
  const auto x = parse_number(text.substr(0, comma));
  const auto y = comma == std::string::npos ? std::nullopt : parse_number(text.substr(comma + 1));
  if (!x || !y) throw error(Error::Kind::input, _("\"{0}\" is not a place: give X,Y in pixels of the target."), text);
  return {*x, *y};
}

std::vector<Job> read_batch(const std::string& path, const std::string& output_folder, const StopRequested& stop) {
  std::vector<Job> jobs;
  std::error_code none;
  if (fs::is_directory(path, none))
    jobs = read_folder(path, output_folder, stop);
  else if (const std::string text = read_text(path, stop); fs::path(path).extension() == ".json")
    jobs = read_json(path, text, stop);
  else
    jobs = read_tsv(path, text, stop);
  if (jobs.empty()) throw error(Error::Kind::input, _("\"{0}\" holds no jobs."), path);
  return jobs;
}

}  // namespace geometry_transfer::cli
