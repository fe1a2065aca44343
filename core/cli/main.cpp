// SPDX-License-Identifier: GPL-3.0-or-later
/// The program geometry-transfer. Exit codes: 0 done; 1 an error, a failed job or picture, or an input left out (a line
/// for each on stderr); 2 wrong usage; 130 interrupted.
#include <clocale>
#include <csignal>
#include <cstdio>
#include <new>

#include "cli/batch.h"
#include "cli/dataset/run.h"
#include "cli/options.h"
#include "cli/output_check.h"
#include "cli/report.h"
#include "request/idle_threads.h"
#include "request/memory.h"
#include "request/text.h"

using namespace geometry_transfer;
using namespace geometry_transfer::cli;

namespace {

constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells count

int print_error(const char* what) {
  try {
    std::fprintf(stderr, "geometry-transfer: %s\n", printable(what).c_str());
  } catch (const std::bad_alloc&) {  // no memory is left for the line, so print a fixed sentence
    std::fprintf(stderr, "geometry-transfer: %s\n", _("Out of memory: choose a smaller picture, or close other programs."));
  }
  return 1;
}

void print_warnings(const JobResult& result) {
  for (const std::string& warning : result.warnings)
    std::fprintf(stderr, "geometry-transfer: %s\n", printable(sentence(_("Warning: {0}"), warning)).c_str());
}

/// The job's main output, for messages.
const std::string& name_of(const Job& job) {
  return !job.output.empty() ? job.output : !job.layer.empty() ? job.layer : job.layers;
}

/// Runs all jobs. A job that fails prints a line and sets the exit code; the others still run. The report lists the
/// jobs that ran, after an interrupt too.
int run_batch(const Options& options, Session& session, ProgressLine& line) {
  int code = 0;
  std::size_t written = 0;
  auto reports = nlohmann::ordered_json::array();
  const std::vector<Job> jobs = read_batch(options.batch, options.job.output, line.stop_requested());
  check_report(options.report);  // after read_batch(), which may create its folder
  check_outputs(jobs, options.report, options.batch, line.stop_requested());
  const auto failed = [&](const Job& job, const std::string& why) {
    line.clear();
    code = print_error(fmt::format("{}: {}", name_of(job), why).c_str());
    reports.push_back({{"target", job.target}, {"output", job.output}, {"error", why}});
  };
  for (const Job& job : jobs) try {
      const JobResult result = run_job(session, job, options.request, line.callback());
      line.clear();
      print_warnings(result);
      ++written;
      reports.push_back(report_json(job, result));
      if (!options.quiet) std::fprintf(stderr, "%s: %.2f s\n", printable(name_of(job)).c_str(), result.report.seconds);
    } catch (const Error& e) {
      failed(job, e.what());
    } catch (const Cancelled&) {
      line.clear();
      print_error(written == 0 ? _("Interrupted: nothing was written.")
                               : sentence(_("Interrupted: {0} of {1} results were written."), written, jobs.size()).c_str());
      code = kInterrupted;
      break;
    } catch (const std::bad_alloc&) {
      session.release();
      failed(job, _("Out of memory: choose a smaller picture, or close other programs."));
    } catch (const std::exception& e) {
      failed(job, e.what());
    }
  if (!options.report.empty()) write_report(options.report, reports);
  return code;
}

/// Prints a note on stderr if the preset does not improve the result with the chosen model.
void explain_preset(const Options& options) {
  const std::string& id = options.request.preset;
  if (options.quiet || id == "custom") return;
  const PresetOffer offer = preset_offer(id, model_family(options.request.model));
  if (!offer.offered) std::fprintf(stderr, "geometry-transfer: --preset %s: %s\n", id.c_str(), offer.effect.c_str());
}

int run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  if (options.list_models) {
    print_models();
    return 0;
  }
  ProgressLine line(options.quiet);
  if (options.dataset.is_asked()) try {
      return run_dataset(options.dataset, options.request, options.quiet, line);
    } catch (const Cancelled&) {
      return kInterrupted;  // run_dataset() has printed its progress
    }
  Session session;
  if (!options.batch.empty()) {
    const int code = run_batch(options, session, line);
    if (code == 0) explain_preset(options);
    return code;
  }
  check_report(options.report);
  check_outputs({options.job}, options.report, "");
  const JobResult result = run_job(session, options.job, options.request, line.callback());
  line.clear();
  print_warnings(result);
  explain_preset(options);
  if (!options.report.empty()) write_report(options.report, report_json(options.job, result));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  set_idle_threads();
  keep_freed_memory();
  std::signal(SIGXFSZ, SIG_IGN);  // a file-size limit makes write() fail; it does not end the program
  // Use the user's language and character set. Numbers keep the decimal point.
  std::setlocale(LC_MESSAGES, "");
  std::setlocale(LC_CTYPE, "");
  open_catalogs();
  try {
    return run(argc, argv);
  } catch (const Exit& exit) {
    return exit.code;
  } catch (const Error& e) {
    return print_error(e.what());
  } catch (const Cancelled&) {
    print_error(_("Interrupted: nothing was written."));
    return kInterrupted;
  } catch (const std::bad_alloc&) {
    return print_error(_("Out of memory: choose a smaller picture, or close other programs."));
  } catch (const std::exception& e) {
    return print_error(e.what());
  }
}
