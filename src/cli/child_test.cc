#include "cli/child.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>  // tidy: allow include because a thread can be refused a system call, for good

namespace cli {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

ChildSpec shell(const std::string& script) {
  ChildSpec spec;
  spec.program = "/bin/sh";
  spec.words = {"sh", "-c", script};
  spec.output_bytes_max = 1'000;
  spec.error_bytes_max = 10;
  return spec;
}

// A file that a script makes when it has come to a point.
class Marker {
 public:
  Marker() : path_(testing::TempDir() + "dray_child_" + std::to_string(getpid())) { remove(); }
  ~Marker() { remove(); }
  Marker(const Marker&) = delete;
  Marker& operator=(const Marker&) = delete;

  const std::string& path() const { return path_; }
  bool is_there() const { return access(path_.c_str(), F_OK) == 0; }

 private:
  void remove() const { unlink(path_.c_str()); }
  std::string path_;
};

ChildEnd run(const ChildSpec& spec) {
  auto end = run_child(spec, [] { return false; });
  EXPECT_TRUE(end.has_value());
  return std::move(*end);
}

// Gone, or on its way: an orphan that is dead until init looks at it.
void wait_until_gone(pid_t other) {
  while (kill(other, 0) == 0) {
    const std::string path = "/proc/" + std::to_string(other) + "/stat";
    FILE* stat = fopen(path.c_str(), "r");
    if (stat == nullptr) break;
    char state = '?';
    const int fields = fscanf(stat, "%*d %*s %c", &state);
    fclose(stat);
    if (fields != 1 || state == 'Z') break;
  }
}

TEST(Child, BytesGoInAndOut) {
  ChildSpec spec = shell("cat; printf $EXTRA");
  spec.input = std::string("a\0b", 3);
  spec.environment = {{"EXTRA", "c"}};
  const ChildEnd end = run(spec);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.output, std::string("a\0bc", 4));
}

TEST(Child, LargeInputAndOutputDoNotBlockEachOther) {
  ChildSpec spec = shell("cat");
  spec.input = std::string(2'000'000, 'x');
  spec.output_bytes_max = 3'000'000;
  EXPECT_EQ(run(spec).output.size(), 2'000'000U);
}

TEST(Child, EnvironmentOfOursIsReplaced) {
  setenv("DRAY_CHILD_TEST", "ours", 1);
  ChildSpec spec = shell("printf $DRAY_CHILD_TEST; env | grep -c DRAY_CHILD_TEST=");
  spec.environment = {{"DRAY_CHILD_TEST", "its"}};
  EXPECT_EQ(run(spec).output, "its1\n");
}

TEST(Child, OutputIsBoundedAndReadToTheEnd) {
  ChildSpec spec = shell("head -c 100000 /dev/zero; exit 3");
  const ChildEnd end = run(spec);
  EXPECT_EQ(end.output.size(), 1'000U);
  EXPECT_TRUE(end.output_was_cut);
  EXPECT_EQ(end.exit_code, 3);
}

TEST(Child, OutputOfExactlyTheLimitIsNotCut) {
  const ChildEnd end = run(shell("head -c 1000 /dev/zero"));
  EXPECT_EQ(end.output.size(), 1'000U);
  EXPECT_FALSE(end.output_was_cut);
}

TEST(Child, EndOfTheErrorsIsKept) {
  EXPECT_EQ(run(shell("echo 0123456789abcdef >&2")).errors, "789abcdef\n");
}

TEST(Child, SignalIsReported) {
  const ChildEnd end = run(shell("kill -SEGV $$"));
  EXPECT_EQ(end.signal, SIGSEGV);
  EXPECT_EQ(end.exit_code, -1);
}

TEST(Child, ChildThatDoesNotReadIsNoError) {
  std::signal(SIGPIPE, SIG_IGN);
  ChildSpec spec = shell("exit 0");
  spec.input = std::string(2'000'000, 'x');
  EXPECT_EQ(run(spec).exit_code, 0);
}

TEST(Child, CancelEndsTheWholeGroup) {
  const Marker marker;
  ChildSpec spec = shell("tail -f /dev/null & echo $!; touch " + marker.path() + "; wait");
  const auto end = run_child(spec, [&] { return marker.is_there(); });
  ASSERT_TRUE(end.has_value());
  EXPECT_TRUE(end->was_stopped);
  EXPECT_EQ(end->signal, SIGTERM);
  wait_until_gone(std::stoi(end->output));
}

// A shell that ends at SIGTERM, and one that it has started and that then does what `at_term` says.
ChildSpec shell_with_another(const std::string& at_term, const Marker& ready) {
  return shell("sh -c 'trap \"" + at_term + "\" TERM; echo $$; touch " + ready.path() +
               "; while :; do :; done'; exit 3");
}

TEST(Child, WhatAShellHasStartedMayCleanUp) {
  const Marker marker;
  // Cleans up for longer than the shell is there.
  ChildSpec spec = shell_with_another("while kill -0 $PPID; do :; done; echo clean; exit", marker);
  spec.kill_after = 60s;
  const auto end = run_child(spec, [&] { return marker.is_there(); });
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, SIGTERM);
  EXPECT_TRUE(end->output.ends_with("\nclean\n")) << end->output;
}

TEST(Child, WhatAShellHasStartedIsKilledInTheEnd) {
  const Marker marker;
  ChildSpec spec = shell_with_another("", marker);
  spec.kill_after = 50ms;
  const auto end = run_child(spec, [&] { return marker.is_there(); });
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, SIGTERM);
  wait_until_gone(std::stoi(end->output));
}

TEST(Child, WhatIgnoresTheRequestIsKilled) {
  const Marker marker;
  ChildSpec spec = shell("trap '' TERM; touch " + marker.path() + "; while :; do :; done");
  spec.kill_after = 50ms;
  const auto end = run_child(spec, [&] { return marker.is_there(); });
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, SIGKILL);
}

// Refuses the calling thread, and what it starts, one system call. There is no way back.
bool refuse_system_call(uint32_t number) {
  std::array<sock_filter, 4> rules = {{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                       {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number},
                                       {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
                                       {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  sock_fprog program{static_cast<unsigned short>(rules.size()), rules.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(Child, EndIsSeenWithoutADescriptorOfTheProcess) {
  bool is_refused = false;
  ChildEnd end;
  std::thread([&] {
    is_refused = refuse_system_call(SYS_pidfd_open);
    if (is_refused) end = run(shell("echo out; exit 3"));
  }).join();
  if (!is_refused) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.output, "out\n");
}

TEST(Child, BackgroundProcessThatHoldsThePipesIsNotWaitedFor) {
  const ChildEnd end = run(shell("tail -f /dev/null & echo $!"));
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(kill(std::stoi(end.output), SIGKILL), 0);
}

TEST(Child, ProgramThatIsNotThereIsAnError) {
  ChildSpec spec = shell("");
  spec.program = "/nowhere/at/all";
  const auto end = run_child(spec, [] { return false; });
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, base::ErrorCode::kIo);
  EXPECT_NE(end.error().message.find("No such file"), std::string::npos);
}

TEST(Child, WordThatIsTooBigIsAnErrorOfItsOwn) {
  const auto end = run_child(shell(std::string(200'000, ' ')), [] { return false; });
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, base::ErrorCode::kTooBig);
}

TEST(Child, HasItsOwnLimitOfOpenFiles) {
  ChildSpec spec = shell("ulimit -Sn; ulimit -Hn");
  spec.open_files = rlimit{.rlim_cur = 50, .rlim_max = 60};
  EXPECT_EQ(run(spec).output, "50\n60\n");
}

TEST(Child, FindsProgramsAsAShellDoes) {
  EXPECT_TRUE(find_program("sh").has_value());
  EXPECT_EQ(*find_program("/bin/sh"), "/bin/sh");
  EXPECT_FALSE(find_program("no-such-command-here").has_value());
  EXPECT_FALSE(find_program("/etc/passwd").has_value());
}

}  // namespace
}  // namespace cli
