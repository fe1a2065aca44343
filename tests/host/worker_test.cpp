// SPDX-License-Identifier: GPL-3.0-or-later
/// Tests the worker that keeps a model. It is a real second process; the name of the model says what its transfer does.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "worker/client.h"
#include "worker/confinement.h"
#include "worker/endpoint.h"
#include "worker/model_stamp.h"
#include "worker/serialization.h"

namespace geometry_transfer::worker {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr Rect kArea = {-3, 7, 40, 30};

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A raster whose colours depend on the place. `fails` makes it throw in the middle.
struct Ramp : Raster {
  int n = 4;
  bool fails = false;
  int channels() const override { return n; }
  Rect extent() const override { return kArea; }
  void read(const Rect& area, Size size, float* out) const override {
    if (fails) throw Error(Error::Kind::system, "the layer is gone");
    for (int i = 0; i < size.width * size.height * n; ++i) out[i] = area.x + 0.001f * i;
  }
};

std::string outcome(const char* what, long result) { return std::string(what) + (result < 0 ? strerror(errno) : "done") + "; "; }

/// Tries what a worker never needs. Files are in `folder`; a service listens at the port that the file "port" names.
std::string try_to_escape(const std::string& folder) {
  const auto opened = [&](const char* name, int flags) { return Fd(open((folder + name).c_str(), flags, 0600)).get(); };
  std::string told;
  told += outcome("read model: ", opened("/model/weights", O_RDONLY));
  told += outcome("read linked: ", opened("/model/link", O_RDONLY));
  told += outcome("make cache: ", opened("/cache/new", O_WRONLY | O_CREAT));
  told += outcome("read foreign: ", opened("/foreign", O_RDONLY));
  told += outcome("write foreign: ", opened("/foreign", O_WRONLY));
  told += outcome("write model: ", opened("/model/weights", O_WRONLY));
  told += outcome("make foreign: ", opened("/new", O_WRONLY | O_CREAT));
  told += outcome("remove model: ", unlink((folder + "/model/weights").c_str()));
  told += outcome("list foreign: ", opened("", O_RDONLY | O_DIRECTORY));
  return told;
}

std::string try_to_call(const std::string& folder) {
  std::string told;
  sockaddr_in service = {};
  service.sin_family = AF_INET;
  service.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::ifstream(folder + "/port") >> service.sin_port;
  const Fd tcp(socket(AF_INET, SOCK_STREAM, 0));
  told += outcome("TCP: ", tcp.get());
  told += outcome("connect: ", connect(tcp.get(), reinterpret_cast<const sockaddr*>(&service), sizeof service));
  told += outcome("UDP: ", Fd(socket(AF_INET6, SOCK_DGRAM, 0)).get());
  told += outcome("local UDP: ", Fd(socket(AF_UNIX, SOCK_DGRAM, 0)).get());
  told += outcome("signal: ", kill(getppid(), 0));
  char program[] = "/bin/true", *arguments[] = {program, nullptr};
  const pid_t child = fork();
  if (child == 0) _exit(execv(program, arguments) < 0 ? errno : 0);
  int status = 0;
  waitpid(child, &status, 0);
  errno = WEXITSTATUS(status);
  told += outcome("program: ", errno ? -1 : 0);
  return told;
}

/// Runs the transfer that the model's name asks for, in the worker or here.
Layer fake(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) {
  static int runs = 0;
  report.model = std::to_string(getpid());
  report.unet_calls = ++runs;
  report.stages = {{Stage::load, 0.25}, {Stage::invert, 2}};
  report.residuals = {0.5, 0.125};
  report.device = "cpu", report.precision = request.preset;
  report.decided.strength = 1.25, report.decided.water = true, report.decided.light_y = -0.5;
  const int steps = request.model == "slow" ? 400 : 3;
  if (request.model == "error") throw Error(Error::Kind::model, "no such model: \xC3\xA4");
  if (request.model.rfind("files ", 0) == 0) report.device = try_to_escape(request.model.substr(6));
  if (request.model.rfind("calls ", 0) == 0) report.device = try_to_call(request.model.substr(6));
  if (request.model == "bug") throw std::logic_error("a bug");
  for (int i = 0; i < steps; ++i) {
    if (request.model == "slow") std::this_thread::sleep_for(Milliseconds(20));
    if (request.model == "dies") raise(SIGKILL);
    if (request.model == "hangs") raise(SIGSTOP);
    if (request.model == "loads" && i == 1) std::this_thread::sleep_for(Milliseconds(4500));
    if (!progress({Stage::invert, i, steps, double(i) / steps, 1.5})) throw Cancelled();
  }
  Layer layer{{1, 2, 5, 4}, std::vector<float>(5 * 4 * 4)};
  scene.references.at(0).colour->read({0, 8, 10, 8}, {5, 4}, layer.rgba.data());
  layer.rgba[0] = static_cast<float>(scene.references.at(0).weight + request.placement.rotation);
  return layer;
}

class Worker : public ::testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/gt-worker-XXXXXX";
    ASSERT_TRUE(mkdtemp(folder));
    folder_ = folder;
    meeting_.path = folder_ + "/socket";
    meeting_.answer_timeout = Milliseconds(20000);
    meeting_.start = [this](Fd listener) { start(std::move(listener)); };
    meeting_.hello_timeout = Milliseconds(20000);
    meeting_.silence_timeout = Milliseconds(20000);
    scene_.target = &ramp_;
    scene_.references = {{&ramp_, nullptr, Reference::Role::texture, {1, 2, 3, 4, true}, 0.75}};
    gimp_ = fork();
    if (gimp_ == 0)
      for (;;) pause();
    watched_ = watch(gimp_);
    ASSERT_TRUE(watched_) << "this kernel has no pidfd";
  }
  void TearDown() override {
    if (gimp_ > 0) end(gimp_, SIGKILL);
    if (worker_ > 0) {
      kill(worker_, SIGCONT);
      EXPECT_TRUE(ends()) << "it goes with its GIMP";
    }
    std::filesystem::remove_all(folder_);
  }

  void start(Fd listener) {
    if (worker_ > 0) waitpid(worker_, nullptr, WNOHANG);
    worker_ = fork();
    if (worker_ == 0) _exit(serve(std::move(listener), std::move(watched_), idle_, fake, admit_));
    ++started_;
  }
  static void end(pid_t& pid, int signal) {
    kill(pid, signal);
    waitpid(pid, nullptr, 0);
    pid = -1;
  }
  /// Returns the worker's exit code if it ends within a few seconds, else -1.
  int exit_code() {
    int status = 0;
    for (const auto begin = Clock::now(); since(begin) < 20; std::this_thread::sleep_for(Milliseconds(20)))
      if (waitpid(worker_, &status, WNOHANG) == worker_) {
        worker_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
      }
    kill(worker_, SIGKILL);
    return -1;
  }
  bool ends() { return exit_code() >= 0; }
  /// Waits until somebody listens at the path, or until nobody does.
  bool listens(bool wanted) {
    for (const auto begin = Clock::now(); since(begin) < 20; std::this_thread::sleep_for(Milliseconds(20)))
      if (static_cast<bool>(connect_to(meeting_.path)) == wanted) return true;
    return false;
  }

  Layer run(
      const std::string& model, const ProgressCallback& progress = [](const Progress&) { return true; }) {
    request_.model = model;
    report_ = {};
    return run_in_worker(
        meeting_,
        [](const Scene& s, const Request& r, const ProgressCallback& p, Report& report) {
          Request plain = r;
          plain.model = "";
          return fake(s, plain, p, report);
        },
        scene_, request_, progress, report_);
  }
  bool ran_here() const { return report_.model == std::to_string(getpid()); }

  std::string folder_;
  Ramp ramp_;
  Scene scene_;
  Request request_;
  Report report_;
  WorkerAddress meeting_;
  Milliseconds idle_{60000};
  Admission admit_;
  pid_t gimp_ = -1, worker_ = -1;
  Fd watched_;
  int started_ = 0;
};

TEST_F(Worker, GivesWhatTheTransferGives) {
  request_.placement.rotation = 1.0 / 3;
  request_.preset = "custom";
  Report wanted_report;
  const Layer wanted = fake(
      scene_, request_, [](const Progress&) { return true; }, wanted_report);
  std::vector<Progress> told;
  const Layer got = run("", [&](const Progress& p) {
    told.push_back(p);
    return true;
  });
  EXPECT_FALSE(ran_here());
  EXPECT_EQ(got.area, wanted.area);
  EXPECT_EQ(got.rgba, wanted.rgba);
  ASSERT_EQ(report_.stages.size(), 2u);
  EXPECT_EQ(report_.stages[1].stage, Stage::invert);
  EXPECT_EQ(report_.stages[1].seconds, 2);
  EXPECT_EQ(report_.residuals, wanted_report.residuals);
  EXPECT_EQ(report_.device, "cpu");
  EXPECT_EQ(report_.precision, "custom");
  EXPECT_EQ(report_.decided.strength, 1.25);
  EXPECT_TRUE(report_.decided.water);
  EXPECT_EQ(report_.decided.light_y, -0.5);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2].step, 2);
  EXPECT_EQ(told[2].seconds_left, 1.5);
}

TEST_F(Worker, RequestsAndScenesArriveWhole) {
  for (const Parameter& p : parameters()) switch (p.kind) {
      case Parameter::Kind::boolean:
        p.set(request_, !std::get<bool>(p.get(request_)));
        break;
      case Parameter::Kind::integer:
        p.set(request_, static_cast<int>(p.high));
        break;
      case Parameter::Kind::real:
        p.set(request_, p.low + (p.high - p.low) / 3);
        break;
      case Parameter::Kind::choice:
        p.set(request_, std::string(p.choices.back().id));
        break;
      case Parameter::Kind::text:
        p.set(request_, std::string("line\nline"));
    }
  scene_.references.push_back({&ramp_, &ramp_, Reference::Role::geometry, {}, 2});
  FieldWriter to;
  put_request(to, request_);
  put_scene(to, scene_);
  FieldReader from(to.bytes());
  const Request request = get_request(from);
  for (const Parameter& p : parameters()) EXPECT_EQ(p.get(request), p.get(request_)) << p.name;
  std::vector<int> places;
  const Scene scene = get_scene(from, [&](int place, const RasterShape& shape) {
    EXPECT_EQ(shape.extent, kArea);
    places.push_back(place);
    return &ramp_;
  });
  EXPECT_EQ(places, (std::vector<int>{0, 1, 3, 4}));
  EXPECT_EQ(scene.references[0].mask, nullptr);
  EXPECT_EQ(scene.references[0].role, Reference::Role::texture);
  EXPECT_EQ(scene.references[0].placement.rotation, 4);
  EXPECT_TRUE(scene.references[0].placement.flip);
  EXPECT_EQ(scene.references[1].weight, 2);
}

TEST_F(Worker, OneProcessServesManyRuns) {
  run("");
  const std::string first = report_.model;
  const int runs = report_.unet_calls;
  for (int i = 1; i < 50; ++i) {
    run("");
    EXPECT_EQ(report_.model, first);
    EXPECT_EQ(report_.unet_calls, runs + i);
  }
  EXPECT_EQ(started_, 1);
}

TEST_F(Worker, ErrorsKeepTheirKindAndText) {
  try {
    run("error");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::model);
    EXPECT_STREQ(e.what(), "no such model: \xC3\xA4");
  }
  ramp_.fails = true;  // thrown in this process while the worker reads
  try {
    run("");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), Error::Kind::system);
    EXPECT_STREQ(e.what(), "the layer is gone");
  }
  ramp_.fails = false;
  run("");
  EXPECT_FALSE(ran_here());
  EXPECT_EQ(started_, 1) << "an Error is no reason to end";
}

TEST_F(Worker, ABugIsToldAndEndsTheProcess) {
  try {
    run("bug");
    FAIL();
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "a bug");
  }
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(Worker, CancelIsHeardWithinAStep) {
  int calls = 0;
  meeting_.hello_timeout = Milliseconds(4000);  // half of the time that the 400 steps would take
  EXPECT_THROW(run("slow", [&](const Progress&) { return ++calls < 4; }), Cancelled);
  run("");
  EXPECT_FALSE(ran_here());
  EXPECT_EQ(started_, 1);
}

TEST_F(Worker, APlugInThatIsKilledLeavesItFree) {
  const pid_t plug_in = fork();
  if (plug_in == 0) {
    run("slow");
    _exit(0);
  }
  // Its worker listens at the same path; the second plug-in joins it.
  ASSERT_TRUE(listens(true));
  std::this_thread::sleep_for(Milliseconds(500));
  kill(plug_in, SIGKILL);
  waitpid(plug_in, nullptr, 0);
  run("");
  EXPECT_FALSE(ran_here());
  EXPECT_EQ(started_, 0);
  end(gimp_, SIGKILL);
  EXPECT_TRUE(listens(false)) << "gone with its GIMP";
}

TEST_F(Worker, KilledInTheMiddleTheTransferIsDoneHere) {
  const Layer layer = run("dies");
  EXPECT_TRUE(ran_here());
  EXPECT_EQ(layer.area, (Rect{1, 2, 5, 4}));
  EXPECT_EQ(exit_code(), 1000 + SIGKILL);
  run("");
  EXPECT_FALSE(ran_here()) << "a new one";
  EXPECT_EQ(started_, 2);
}

TEST_F(Worker, SilentInTheMiddleTheTransferIsDoneHereAndItIsEnded) {
  meeting_.silence_timeout = Milliseconds(1500);
  run("hangs");
  EXPECT_TRUE(ran_here());
}

TEST_F(Worker, AWorkerThatDoesNotAnswerIsReplaced) {
  run("");
  kill(worker_, SIGSTOP);
  meeting_.answer_timeout = Milliseconds(300);
  run("");
  EXPECT_TRUE(ran_here());
  EXPECT_EQ(exit_code(), 1000 + SIGKILL);
  meeting_.answer_timeout = Milliseconds(20000);
  run("");
  EXPECT_FALSE(ran_here());
}

/// Nobody accepts connections and the queue is full. Neither the transfer nor Cancel may wait.
TEST_F(Worker, AFullQueueHoldsNobodyUp) {
  const Fd listener = listen_at(meeting_.path);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  std::vector<Fd> waiting;
  while (Fd one = connect_to(meeting_.path, Milliseconds(0))) waiting.push_back(std::move(one));
  ASSERT_FALSE(waiting.empty());
  meeting_.answer_timeout = Milliseconds(1000);
  auto begin = Clock::now();
  run("");
  EXPECT_TRUE(ran_here());
  EXPECT_LT(since(begin), 3);
  EXPECT_EQ(started_, 0);
  meeting_.answer_timeout = Milliseconds(20000);
  begin = Clock::now();
  EXPECT_THROW(run("", [](const Progress&) { return false; }), Cancelled);
  EXPECT_LT(since(begin), 3);
}

/// This worker accepts connections but says nothing.
TEST_F(Worker, CancelIsHeardBeforeTheHello) {
  const Fd listener = listen_at(meeting_.path);
  const auto begin = Clock::now();
  EXPECT_THROW(run("", [](const Progress&) { return false; }), Cancelled);
  EXPECT_LT(since(begin), 3);
  meeting_.answer_timeout = Milliseconds(1000);
  run("");
  EXPECT_TRUE(ran_here());
  EXPECT_LT(since(begin), 6);
}

/// A folder that others can enter may hold another user's socket.
TEST_F(Worker, OnlyAPrivateFolderIsUsed) {
  for (const unsigned mode : {0710u, 0701u, 0777u}) {
    ASSERT_EQ(chmod(folder_.c_str(), mode), 0);
    EXPECT_FALSE(listen_at(meeting_.path)) << mode;
    run("");
    EXPECT_TRUE(ran_here()) << mode;
  }
  ASSERT_EQ(chmod(folder_.c_str(), 0700), 0);
  const Fd listener = listen_at(meeting_.path);
  EXPECT_TRUE(listener);
  ASSERT_EQ(chmod(folder_.c_str(), 0711), 0);
  EXPECT_FALSE(connect_to(meeting_.path));
  ASSERT_EQ(chmod(folder_.c_str(), 0700), 0);
  EXPECT_TRUE(connect_to(meeting_.path));
  meeting_.path = "";
  run("");
  EXPECT_TRUE(ran_here());
  EXPECT_EQ(started_, 0);
}

TEST_F(Worker, TheSocketIsInThePrivateRuntimeFolder) {
  setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  const std::string path = socket_path(77);
  EXPECT_EQ(path.rfind(folder_ + "/geometry-transfer/77-", 0), 0u) << path;
  struct stat info = {};
  ASSERT_EQ(stat((folder_ + "/geometry-transfer").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(chmod((folder_ + "/geometry-transfer").c_str(), 0755), 0);
  EXPECT_EQ(socket_path(77), "");
  unsetenv("XDG_RUNTIME_DIR");
}

/// A worker that was killed leaves its socket. The next worker removes all sockets of ended workers.
TEST_F(Worker, DeadSocketsAreRemoved) {
  {
    const Fd dead = listen_at(folder_ + "/dead"), same = listen_at(meeting_.path);
    ASSERT_TRUE(dead && same);
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/dead"));
  run("");
  EXPECT_FALSE(ran_here());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/dead"));
  EXPECT_TRUE(std::filesystem::exists(meeting_.path));
}

/// A message that claims more than was asked for must take no memory.
TEST_F(Worker, SizesAreCheckedBeforeMemoryIsTaken) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Channel one((Fd(ends[0]))), other((Fd(ends[1])));
  const std::vector<float> pixels(8);
  one.send(MessageType::pixels, {}, pixels.data(), pixels.size());
  EXPECT_EQ(other.receive(Milliseconds(1000), 8).pixels.size(), 8u);
  one.send(MessageType::pixels, {}, pixels.data(), pixels.size());
  EXPECT_THROW(other.receive(Milliseconds(1000), 7), Disconnected);
}

/// A worker that may read one model sends the plug-in to a new worker if another model is asked for.
TEST_F(Worker, AnotherModelGetsAnotherWorker) {
  std::string mine;
  admit_ = [&](const Request& request) {
    if (mine.empty()) mine = request.model;
    if (mine != request.model) throw NotServed();
  };
  run("one");
  const std::string first = report_.model;
  run("one");
  EXPECT_EQ(report_.model, first);
  run("two");
  EXPECT_FALSE(ran_here());
  EXPECT_NE(report_.model, first);
  EXPECT_EQ(started_, 2);
  EXPECT_TRUE(fs::exists(meeting_.path)) << "the first one has left the second one's socket alone";
  run("two");
  EXPECT_EQ(started_, 2);
}

TEST_F(Worker, WhatNoWorkerServesIsDoneHere) {
  admit_ = [](const Request&) { throw NotServed(); };
  run("");
  EXPECT_TRUE(ran_here());
  EXPECT_EQ(started_, 2);
}

class Confined : public Worker {
 protected:
  void SetUp() override {
    Worker::SetUp();
    fs::create_directories(folder_ + "/model");
    fs::create_directories(folder_ + "/cache");
    for (const char* file : {"/model/weights", "/foreign", "/blob"}) std::ofstream(folder_ + file) << "text";
    fs::create_symlink("../blob", folder_ + "/model/link");
    admit_ = [this](const Request&) {
      Places places;
      places.read = places_of(folder_ + "/model");
      places.write = {folder_ + "/cache"};
      places.remove = {folder_};
      confine(places);
    };
  }
};

TEST_F(Confined, ItReachesNoForeignFile) {
#ifdef __NR_landlock_create_ruleset
  // 1: asks for the version.
  if (syscall(__NR_landlock_create_ruleset, nullptr, 0, 1) < 1)
    GTEST_SKIP() << "this kernel has no Landlock: " << strerror(errno);
#else
  GTEST_SKIP() << "the headers of this system know no Landlock";
#endif
  run("files " + folder_);
  EXPECT_FALSE(ran_here());
  EXPECT_EQ(report_.device,
            "read model: done; read linked: done; make cache: done; read foreign: Permission denied; write foreign: Permission "
            "denied; write model: Permission denied; make foreign: Permission denied; remove model: done; list foreign: "
            "Permission denied; ");
  run("");
  EXPECT_FALSE(ran_here()) << "it serves on";
  EXPECT_EQ(started_, 1);
  end(gimp_, SIGKILL);
  EXPECT_EQ(exit_code(), 0);
  EXPECT_FALSE(fs::exists(meeting_.path)) << "it may remove its socket";
}

TEST_F(Confined, ItCallsNobody) {
#if !defined(__x86_64__) && !defined(__aarch64__)
  GTEST_SKIP() << "no filter of system calls for this processor";
#endif
  if (prctl(PR_GET_SECCOMP) < 0) GTEST_SKIP() << "this kernel has no seccomp: " << strerror(errno);
  const Fd service(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(service.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(service.get(), 4), 0);
  ASSERT_EQ(getsockname(service.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::ofstream(folder_ + "/port") << address.sin_port;
  const std::string free = try_to_call(folder_);
  EXPECT_EQ(free.find("TCP: done; connect: done; UDP: done; local UDP: done;"), 0u) << free << " (this process may)";
  EXPECT_NE(free.find("signal: done; program: done;"), std::string::npos) << free;
  run("calls " + folder_);
  EXPECT_FALSE(ran_here());
  EXPECT_EQ(report_.device,
            "TCP: Permission denied; connect: Connection refused; UDP: Permission denied; local UDP: Permission denied; signal: "
            "Operation not permitted; "
            "program: Permission denied; ");
  run("");
  EXPECT_FALSE(ran_here()) << "it serves on";
  EXPECT_EQ(started_, 1);
}

TEST(Confinement, CanBeSwitchedOff) {
  setenv("GEOMETRY_TRANSFER_CONFINE", "no", 1);
  EXPECT_FALSE(may_confine());
  unsetenv("GEOMETRY_TRANSFER_CONFINE");
  if (access("/dev/nvidiactl", F_OK) != 0) {
    EXPECT_TRUE(may_confine());
  }
}

TEST_F(Worker, LongLoadsAreNotSilence) {
  meeting_.silence_timeout = Milliseconds(3500);
  run("loads");
  EXPECT_FALSE(ran_here());
}

TEST_F(Worker, OneThatIsBusySendsOthersAway) {
  run("");
  std::atomic<int> calls{0};
  std::thread other([&] {
    Report report;
    Request slow = request_;
    slow.model = "slow";
    try {
      run_in_worker(
          meeting_, fake, scene_, slow, [&](const Progress&) { return ++calls < 100; }, report);
    } catch (const Cancelled&) {
    }
    EXPECT_EQ(calls, 100) << "undisturbed";
  });
  while (calls == 0) std::this_thread::sleep_for(Milliseconds(5));
  run("");
  EXPECT_TRUE(ran_here());
  other.join();
  EXPECT_EQ(started_, 1);
}

TEST_F(Worker, AnotherVersionIsNotSpokenTo) {
  Fd listener = listen_at(meeting_.path);
  ASSERT_TRUE(listener);
  std::thread old([&] {
    pollfd caller = {listener.get(), POLLIN, 0};  // accept_from() does not wait
    ASSERT_EQ(poll(&caller, 1, 20000), 1);
    Channel channel(accept_from(listener.get()));
    FieldWriter hello;
    hello.put(std::string("geometry-transfer 0 of another build"));
    hello.put(true);
    channel.send(MessageType::hello, hello.bytes());
    EXPECT_THROW(channel.receive(Milliseconds(20000)), Disconnected);
  });
  run("");
  old.join();
  EXPECT_TRUE(ran_here());
}

TEST_F(Worker, NonsenseDoesNotHurtIt) {
  run("");
  for (const std::string& nonsense : {std::string(200, 'x'), std::string(1, 'x'), std::string()}) {
    const Fd connection = connect_to(meeting_.path);
    ASSERT_TRUE(connection);
    (void)!write(connection.get(), nonsense.data(), nonsense.size());
  }
  {
    Channel channel(connect_to(meeting_.path));
    channel.receive(Milliseconds(20000));
    channel.send(MessageType::run, "short");
  }
  run("");
  EXPECT_FALSE(ran_here());
  EXPECT_EQ(started_, 1);
}

TEST_F(Worker, UnusedItLeavesAndItsNameIsFree) {
  idle_ = Milliseconds(300);
  run("");
  EXPECT_EQ(exit_code(), 0);
  EXPECT_FALSE(connect_to(meeting_.path));
  EXPECT_TRUE(listen_at(meeting_.path));
}

TEST_F(Worker, WithoutItsGimpItLeaves) {
  run("");
  end(gimp_, SIGKILL);
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(Worker, WithoutItsGimpItLeavesInTheMiddleOfATransfer) {
  EXPECT_NO_THROW(run("slow", [&](const Progress& p) {
    if (p.step == 3) end(gimp_, SIGKILL);
    return true;
  }));
  EXPECT_TRUE(ran_here());
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(Worker, OneThatCannotBeStartedIsNotNeeded) {
  meeting_.start = [](Fd) {};
  run("");
  EXPECT_TRUE(ran_here());
}

TEST_F(Worker, StartedDetachedItHasNothingOfOurs) {
  int kept_open[2];
  ASSERT_EQ(pipe(kept_open), 0);
  pid_t found = 0;
  meeting_.start = [&](Fd listener) { EXPECT_TRUE(start_detached({"--worker-of-the-test"}, {listener.get(), watched_.get()})); };
  run("");
  EXPECT_FALSE(ran_here());
  found = std::stoi(report_.model);
  std::ifstream stat("/proc/" + std::to_string(found) + "/stat");
  std::string pid, name, state, parent, group, session;
  stat >> pid >> name >> state >> parent >> group >> session;
  EXPECT_NE(parent, std::to_string(getpid())) << "so no zombie of ours";
  EXPECT_NE(session, std::to_string(getsid(0)));
  const std::string fds = "/proc/" + std::to_string(found) + "/fd/";
  char target[100] = "";
  EXPECT_GT(readlink((fds + "1").c_str(), target, sizeof target - 1), 0);
  EXPECT_STREQ(target, "/dev/null");
  for (int fd = 6; fd < 70; ++fd) EXPECT_LT(readlink((fds + std::to_string(fd)).c_str(), target, sizeof target), 0) << fd;
  close(kept_open[0]);
  close(kept_open[1]);
  end(gimp_, SIGKILL);
  EXPECT_TRUE(listens(false));
}

class Stamp : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(model_ + "/unet"); }
  void TearDown() override { fs::remove_all(model_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(model_ + "/" + name) << text; }
  const std::string model_ = fs::temp_directory_path() / ("geometry-transfer-stamp-" + std::to_string(getpid()));
};

TEST_F(Stamp, ChangesWithTheModelsFiles) {
  write("unet/weights.safetensors", "one");
  const std::string first = stamp_of(model_);
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(stamp_of(model_), first);
  write("unet/weights.safetensors", "another");
  const std::string second = stamp_of(model_);
  EXPECT_NE(second, first);
  write("model_index.json", "{}");
  EXPECT_NE(stamp_of(model_), second);
  const std::string file = model_ + "/unet/weights.safetensors", of_file = stamp_of(file);
  write("unet/weights.safetensors", "a third one");
  EXPECT_NE(stamp_of(file), of_file);
  EXPECT_FALSE(stamp_of("/nothing here").empty());
}

/// Programs that download models keep the files elsewhere, and links in the model's folder.
TEST_F(Stamp, LinksOfAModelAreFollowed) {
  write("file", "{}");
  fs::create_directories(model_ + ".there/unet");
  std::ofstream(model_ + ".there/blob") << "one";
  fs::create_symlink("../blob", model_ + ".there/unet/weights");
  fs::create_directory_symlink(model_ + ".there/unet", model_ + "/linked");
  EXPECT_EQ(places_of(model_), (std::vector<std::string>{model_, model_ + "/linked", model_ + "/linked/weights"}));
  const std::string first = stamp_of(model_);
  std::ofstream(model_ + ".there/blob") << "another";
  EXPECT_NE(stamp_of(model_), first);
  EXPECT_EQ(places_of(model_ + "/file"), std::vector<std::string>{model_ + "/file"});
  fs::remove_all(model_ + ".there");
}

/// A kept model serves only while its files are as they were when it was loaded.
TEST_F(Stamp, AKeptModelIsDroppedWhenItsFilesChange) {
  write("unet/weights.safetensors", "one");
  LastModel last;
  EXPECT_FALSE(last.update(model_));  // nothing is kept yet
  EXPECT_TRUE(last.update(model_));
  write("unet/weights.safetensors", "another");
  EXPECT_FALSE(last.update(model_));
  EXPECT_TRUE(last.update(model_));
  EXPECT_FALSE(last.update(model_ + "/unet"));
  EXPECT_FALSE(last.update(model_));
  for (int i = 0; i < 2000; ++i) write("unet/" + std::to_string(i), "");
  EXPECT_FALSE(last.update(model_));  // too many files to check
  EXPECT_FALSE(last.update(model_));
}

/// A model is kept only while the machine has as much memory free as this process holds.
TEST_F(Stamp, AModelThatWouldNotFitTwiceIsNotKept) {
  fs::create_directories(model_ + "/self");
  const auto too_large = [&](const char* held, const char* spare) {
    write("self/status", std::string("VmRSS:\t 99999999 kB\nRssAnon:\t ") + held + " kB\n");
    write("meminfo", std::string("MemTotal:  99999999 kB\nMemFree:  1 kB\nMemAvailable:  ") + spare + " kB\n");
    return too_large_to_keep(model_);
  };
  EXPECT_FALSE(too_large("4000000", "4000001"));
  EXPECT_TRUE(too_large("4000001", "4000000"));
  EXPECT_FALSE(too_large_to_keep(model_ + "/unet"));  // no figures
}

TEST_F(Stamp, AFolderOfAllSortsIsNotLookedThrough) {
  fs::create_directories(model_ + "/a/b");
  write("a/b/deeper than a model's files", "");
  EXPECT_EQ(stamp_of(model_).find("deeper"), std::string::npos);
  for (int i = 0; i < 2000; ++i) write("unet/" + std::to_string(i), "");
  EXPECT_EQ(stamp_of(model_), "");
}

}  // namespace
}  // namespace geometry_transfer::worker

int main(int argc, char** argv) {
  using namespace geometry_transfer::worker;
  if (argc == 2 && argv[1] == std::string("--worker-of-the-test")) return serve(Fd(3), Fd(4), Milliseconds(60000), fake);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
