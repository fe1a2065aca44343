// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/stage_clock.h"

#include <algorithm>

namespace geometry_transfer {
namespace {

/// Returns the fraction of the whole at which a stage ends, measured on a Balanced transfer with the shipped model.
double ends_at(Stage stage) {
  switch (stage) {
    case Stage::load:
      return 0.08;
    case Stage::read:
      return 0.10;
    case Stage::edit:
      return 0.13;
    case Stage::encode:
      return 0.20;
    case Stage::invert:
      return 0.70;
    case Stage::generate:
      return 0.90;
    case Stage::decode:
      return 0.98;
    case Stage::composite:
      return 1;
  }
  return 1;
}

double begins_at(Stage stage) {
  double begin = 0;
  for (const Stage s :
       {Stage::load, Stage::read, Stage::edit, Stage::encode, Stage::invert, Stage::generate, Stage::decode, Stage::composite}) {
    if (s == stage) return begin;
    begin = ends_at(s);
  }
  return begin;
}

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

StageClock::~StageClock() { leave(); }

void StageClock::leave() {
  if (!stage_) return;
  const double took = seconds(now() - entered_);
  report_.stages.push_back({*stage_, took});
  report_.seconds += took;
  stage_.reset();
}

void StageClock::enter(Stage stage) {
  leave();
  entered_ = now();
  stage_ = stage;
  tell(0, 0);
}

void StageClock::step(int step, int steps) { tell(step, steps); }

void StageClock::tell(int step, int steps) {
  step_ = step;
  steps_ = steps;
  if (!progress_) return;
  Progress p;
  p.stage = *stage_;
  p.step = step;
  p.steps = steps;
  const double share = steps ? std::min(1.0, static_cast<double>(step) / steps) : 0;
  p.fraction = begins_at(*stage_) + share * (ends_at(*stage_) - begins_at(*stage_));
  const double spent = seconds(now() - started_);
  const double begun = report_.stages.empty() ? 0 : begins_at(report_.stages.front().stage);
  if (p.fraction - begun > 0.1 && spent > 0.3) p.seconds_left = spent * (1 - p.fraction) / (p.fraction - begun);
  if (!progress_(p)) throw Cancelled();
}

}  // namespace geometry_transfer
