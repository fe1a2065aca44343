// SPDX-License-Identifier: GPL-3.0-or-later
/// Requests of every origin. The first byte chooses one of these, in this order: the note of a layer in a stranger's
/// image; the arguments of a command line, one in each line; a list of jobs as .tsv or .json; the names in a folder of
/// cases.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../unit/safetensors_file.h"
#include "cli/batch.h"
#include "cli/options.h"
#include "fuzz.h"
#include "settings_text.h"

using namespace geometry_transfer;

namespace {

void note(const std::string& text) {
  const Remembered found = parse_settings(text);
  const Remembered again = parse_settings(settings_text(found));
  if (settings_text(again) != settings_text(found)) std::abort();
  fuzz::refusing([&] { validate(found.request); });
}

void arguments(const std::string& text) {
  std::vector<std::string> words = {"geometry-transfer"};
  std::istringstream in(text);
  for (std::string word; std::getline(in, word) && words.size() < 60;) words.push_back(word);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  fuzz::refusing([&] {
    try {
      const cli::Options options = cli::parse_options(static_cast<int>(argv.size()) - 1, argv.data());
      validate(options.request);
    } catch (const cli::Exit& exit) {
      if (exit.code != 0 && exit.code != 2) std::abort();
    }
  });
}

void batch(const std::string& text, const char* name) {
  static const test::TemporaryFolder folder;
  const std::filesystem::path list = folder / name;
  std::ofstream(list, std::ios::binary) << text;
  fuzz::refusing([&] {
    for (const cli::Job& job : cli::read_batch(list, ""))
      if (job.target.empty() || job.source.empty() || job.mask.empty()) std::abort();
  });
}

/// Each line is a file "case/file" in a folder of cases. Letters, digits and dots only, so that all files stay in the
/// folder.
void cases(const std::string& text) {
  const test::TemporaryFolder folder;
  std::istringstream in(text);
  int count = 0;
  for (std::string line; std::getline(in, line) && count < 12; ++count) {
    const auto cut = line.find('/');
    std::string parts[] = {line.substr(0, cut), cut == std::string::npos ? "" : line.substr(cut + 1, 40)};
    parts[0].resize(std::min<std::size_t>(parts[0].size(), 40));
    for (std::string& part : parts) {
      for (char& c : part)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.') c = '_';
      if (part == "." || part == "..") part = "dots";
    }
    const std::filesystem::path one = std::filesystem::path(folder / "cases") / parts[0];
    std::error_code none;
    std::filesystem::create_directories(one, none);
    if (!parts[1].empty()) std::ofstream(one / parts[1]) << "x";
  }
  for (const std::string& output : {std::string(), std::string(folder / "output")})
    fuzz::refusing([&] {
      for (const cli::Job& job : cli::read_batch(folder / "cases", output))
        if (job.target.empty() || job.source.empty() || job.mask.empty() || job.output.empty()) std::abort();
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr int kModes = 5;
  switch ((data[0] - '0' + 50 * kModes) % kModes) {  // the digits 0 to 4 in the seeds
    case 0:
      note(text);
      break;
    case 1:
      arguments(text);
      break;
    case 2:
      batch(text, "jobs.tsv");
      break;
    case 3:
      batch(text, "jobs.json");
      break;
    default:
      cases(text);
  }
  return 0;
}
