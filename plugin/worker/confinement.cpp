// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/confinement.h"

#include <fcntl.h>
#include <glob.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "worker/channel.h"

#if __has_include(<linux/landlock.h>) && defined(__NR_landlock_create_ruleset)
#include <linux/landlock.h>
#define GT_LANDLOCK 1
#endif

namespace geometry_transfer::worker {
namespace {

#ifdef GT_LANDLOCK

// Rights that the headers of Debian 12 do not have yet: https://docs.kernel.org/userspace-api/landlock.html
constexpr std::uint64_t kRefer = 1 << 13, kTruncate = 1 << 14, kIoctl = 1 << 15;
constexpr std::uint64_t kAllTcp = 3;     // bind, connect
constexpr std::uint64_t kAllScopes = 3;  // abstract sockets, signals

/// The kernel's landlock_ruleset_attr of version 6. Older kernels take its beginning.
struct Ruleset {
  std::uint64_t files, network, scopes;
};

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite =
    kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | kTruncate;
constexpr std::uint64_t kDevice = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | kIoctl;
constexpr std::uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE | kTruncate | kIoctl;

/// NVIDIA's and AMD's nodes, and what libraries open anywhere.
constexpr const char* kDevices[] = {"/dev/null",    "/dev/zero", "/dev/random", "/dev/urandom",
                                    "/dev/nvidia*", "/dev/dri",  "/dev/kfd"};

void allow(int ruleset, const char* path, std::uint64_t rights) {
  const Fd place(open(path, O_PATH | O_CLOEXEC));
  struct stat info = {};
  if (!place || fstat(place.get(), &info) != 0) return;
  if (!S_ISDIR(info.st_mode)) rights &= kOfFiles;  // the kernel refuses rights of folders on a file
  landlock_path_beneath_attr rule = {};
  rule.allowed_access = rights;
  rule.parent_fd = place.get();
  syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/// Returns Landlock's version, or 0 if nothing is enforced.
int confine_files(const Places& places) {
  const long version = syscall(__NR_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return 0;
  // Version 1 has 13 rights, and a new one came with versions 2, 3 and 5.
  std::uint64_t files = kRefer - 1;
  if (version >= 2) files |= kRefer;
  if (version >= 3) files |= kTruncate;
  if (version >= 5) files |= kIoctl;
  const Ruleset all = {files, version >= 4 ? kAllTcp : 0, version >= 6 ? kAllScopes : 0};
  const std::size_t size = version >= 6 ? sizeof all : version >= 4 ? offsetof(Ruleset, scopes) : offsetof(Ruleset, network);
  const Fd ruleset(static_cast<int>(syscall(__NR_landlock_create_ruleset, &all, size, 0)));
  if (!ruleset) return 0;
  for (const std::string& place : places.read) allow(ruleset.get(), place.c_str(), kRead & files);
  for (const std::string& place : places.write) allow(ruleset.get(), place.c_str(), kWrite & files);
  for (const std::string& place : places.remove) allow(ruleset.get(), place.c_str(), LANDLOCK_ACCESS_FS_REMOVE_FILE);
  for (const char* device : kDevices) {
    glob_t found = {};
    if (glob(device, 0, nullptr, &found) == 0)
      for (std::size_t i = 0; i < found.gl_pathc; ++i) allow(ruleset.get(), found.gl_pathv[i], kDevice & files);
    globfree(&found);
  }
  return syscall(__NR_landlock_restrict_self, ruleset.get(), 0) == 0 ? static_cast<int>(version) : 0;
}

#else

int confine_files(const Places&) { return 0; }

#endif

#if defined(__x86_64__) && !defined(__ILP32__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__) && defined(__AARCH64EL__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // no filter
#endif

/// A system call that is refused, and the errno that it gives.
struct Refused {
  long number;
  int error;
};
// Lists what is refused, not what is allowed: libtorch and drivers make many calls, and each release makes others.
constexpr Refused kRefused[] = {
    // Other programs.
    {SYS_execve, EACCES},
    {SYS_execveat, EACCES},
    // Other processes: their memory, their descriptors, signals.
    {SYS_ptrace, EPERM},
    {SYS_process_vm_readv, EPERM},
    {SYS_process_vm_writev, EPERM},
    {SYS_kill, EPERM},
    {SYS_tkill, EPERM},
    {SYS_rt_sigqueueinfo, EPERM},
    {SYS_rt_tgsigqueueinfo, EPERM},
#ifdef SYS_pidfd_open
    {SYS_pidfd_open, EPERM},
    {SYS_pidfd_send_signal, EPERM},
#endif
#ifdef SYS_pidfd_getfd
    {SYS_pidfd_getfd, EPERM},
#endif
    // The connection to the plug-in exists already. Libraries take "nobody listens" for an answer.
    {SYS_connect, ECONNREFUSED},
    {SYS_bind, EACCES},
// It would do all of these unseen by the filter.
#ifdef SYS_io_uring_setup
    {SYS_io_uring_setup, ENOSYS},
#endif
    // Parts of the kernel that had many faults, and that no transfer uses.
    {SYS_add_key, EPERM},
    {SYS_request_key, EPERM},
    {SYS_keyctl, EPERM},
    {SYS_bpf, EPERM},
    {SYS_perf_event_open, EPERM},
    {SYS_userfaultfd, EPERM},
    {SYS_mount, EPERM},
    {SYS_umount2, EPERM},
    {SYS_pivot_root, EPERM},
    {SYS_chroot, EPERM},
    {SYS_unshare, EPERM},
    {SYS_setns, EPERM},
    {SYS_open_by_handle_at, EPERM},
};

/// The low half of an argument of the system call, on a little-endian processor.
constexpr std::uint32_t argument(int index) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args)) + 8u * static_cast<std::uint32_t>(index);
}
constexpr std::uint32_t refuse(int error) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error); }

bool confine_calls() {
  if (kArchitecture == 0) return false;
  std::vector<sock_filter> filter;
  const auto load = [&](std::uint32_t from) { filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, from)); };
  // If the loaded word equals `value`, skips `yes` instructions, else `no`.
  const auto compare = [&](std::uint32_t value, int yes, int no) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, static_cast<std::uint8_t>(yes), static_cast<std::uint8_t>(no)));
  };
  const auto answer = [&](std::uint32_t what) { filter.push_back(BPF_STMT(BPF_RET | BPF_K, what)); };

  load(offsetof(seccomp_data, arch));
  compare(kArchitecture, 1, 0);
  answer(refuse(ENOSYS));  // a 32-bit call has other numbers
  load(offsetof(seccomp_data, nr));
#ifdef __X32_SYSCALL_BIT
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, __X32_SYSCALL_BIT, 0, 1));
  answer(refuse(ENOSYS));
#endif
  for (const Refused& row : kRefused) {
    compare(static_cast<std::uint32_t>(row.number), 0, 1);
    answer(refuse(row.error));
  }
  // A thread's signal to itself, as by abort().
  compare(SYS_tgkill, 0, 4);
  load(argument(0));
  compare(static_cast<std::uint32_t>(getpid()), 0, 1);
  answer(SECCOMP_RET_ALLOW);
  answer(refuse(EPERM));
  // Only local stream sockets, which are useless without connect(). Drivers ask with one whether a service runs.
  compare(SYS_socket, 0, 6);
  load(argument(0));
  compare(AF_UNIX, 0, 3);
  load(argument(1));
  filter.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xF));  // without SOCK_CLOEXEC and SOCK_NONBLOCK
  compare(SOCK_STREAM, 1, 0);
  answer(refuse(EACCES));
  answer(SECCOMP_RET_ALLOW);

  sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

Confinement confine(const Places& places) {
  Confinement done;
  // The kernel asks for this first. Programs with setuid get no rights by it, even if one could be run.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return done;
  done.files = confine_files(places);
  done.calls = confine_calls();
  return done;
}

bool may_confine() {
  const char* wish = std::getenv("GEOMETRY_TRANSFER_CONFINE");
  if (wish && std::strcmp(wish, "no") == 0) return false;
  return access("/dev/nvidiactl", F_OK) != 0 || access("/dev/nvidia-uvm", F_OK) == 0;
}

}  // namespace geometry_transfer::worker
