// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/batch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

/// Sets one field of a job by its column name. Relative paths start at `folder`.
void set_field(Job& job, const std::string& name, const std::string& text, const fs::path& folder) {
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
    if (job.target.empty() || job.source.empty() || job.mask.empty() || (job.output.empty() && job.layer.empty()))
      throw error(Error::Kind::input, _("target, source, mask and output are needed."));
    for (const ReferenceFiles& files : job.references)
      if (files.colour.empty() || files.mask.empty())
        throw error(Error::Kind::input, _("There are {0} --reference but {1} {2}: give one for each."),
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

std::vector<Job> read_tsv(const std::string& path, std::istream& in) {
  std::vector<Job> jobs;
  std::vector<std::string> header;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    static constexpr char mark[] = "\xEF\xBB\xBF";  // spreadsheets put it before UTF-8; the JSON reader skips it by itself
    if (number == 1 && line.compare(0, 3, mark) == 0) line.erase(0, 3);
    if (line.find_first_not_of("\t\r ") == std::string::npos || line[0] == '#') continue;
    const std::vector<std::string> cells = split_at_tabs(line);
    if (header.empty()) {
      header = cells;
      continue;
    }
    jobs.push_back(checked_job(path, number, [&](Job& job) {
      if (cells.size() > header.size())
        throw error(Error::Kind::input, _("{0} cells, but the header names {1}."), cells.size(), header.size());
      for (std::size_t i = 0; i < cells.size(); ++i) set_field(job, header[i], cells[i], fs::path(path).parent_path());
    }));
  }
  return jobs;
}

std::vector<Job> read_json(const std::string& path, std::istream& in) {
  const auto list = nlohmann::json::parse(in, nullptr, false);
  if (!list.is_array()) throw error(Error::Kind::input, _("\"{0}\" is not a JSON array of jobs."), path);
  std::vector<Job> jobs;
  for (const auto& entry : list)
    jobs.push_back(checked_job(path, jobs.size() + 1, [&](Job& job) {
      if (!entry.is_object()) throw error(Error::Kind::input, _("A job is an object with target, source, mask and output."));
      for (const auto& [name, value] : entry.items()) {
        if (value.is_structured()) throw error(Error::Kind::input, _("\"{0}\" must be a text or a number."), name);
        set_field(job, name, value.is_string() ? value.get<std::string>() : value.dump(), fs::path(path).parent_path());
      }
    }));
  return jobs;
}

/// Finds NAME.png, NAME.tiff and so on in `folder`. Returns "" when there is none. A dangling link counts: its job then fails
/// with a message.
std::string find_picture(const fs::path& folder, const std::string& name) {
  std::error_code none;
  for (const char* ending : {".png", ".tiff", ".tif", ".jpg", ".jpeg"})
    if (fs::exists(fs::symlink_status(folder / (name + ending), none))) return (folder / (name + ending)).string();
  return "";
}

std::vector<Job> read_folder(const fs::path& folder, const std::string& output_folder) {
  if (output_folder.empty()) throw error(Error::Kind::input, _("A batch from a folder needs --output FOLDER for its results."));
  std::vector<fs::path> case_folders;
  std::error_code failed, none;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    if (at->is_directory(none)) case_folders.push_back(at->path());
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

std::vector<Job> read_batch(const std::string& path, const std::string& output_folder) {
  std::vector<Job> jobs;
  std::error_code none;
  if (fs::is_directory(path, none)) {
    jobs = read_folder(path, output_folder);
  } else {
    std::ifstream in(path);
    if (!in) throw error(Error::Kind::input, _("\"{0}\" cannot be opened: {1}."), path, std::strerror(errno));
    jobs = fs::path(path).extension() == ".json" ? read_json(path, in) : read_tsv(path, in);
  }
  if (jobs.empty()) throw error(Error::Kind::input, _("\"{0}\" holds no jobs."), path);
  return jobs;
}

}  // namespace geometry_transfer::cli
