#include "cli/child.h"

#include <fcntl.h>
#include <poll.h>  // tidy: allow include because a child's pipes are waited for, no socket
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "cli/child_groups.h"
#include "cli/own_stderr.h"

namespace cli {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using std::chrono::milliseconds;

constexpr milliseconds kLook{50};
// What a background process that holds the pipes open may still say after the child has ended.
constexpr milliseconds kLastWords{500};
constexpr size_t kReadBytes = size_t{64} << 10;
// How long the child may be held up because nobody reads our stderr, which it writes to.
constexpr milliseconds kStderrPatience{1'000};
// What may wait for our stderr once the child has ended. It has no more than what is in a pipe.
constexpr size_t kLastErrorsBytesMax = size_t{1} << 20;

base::MonoTime now() {
  return base::SystemClock{}.mono();
}

std::string errno_text(int error) {
  return std::strerror(error);
}  // NOLINT: glibc's is safe.

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    reset();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  // Close-on-exec, so that a child started at the same time by another thread does not hold it
  // open.
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(ErrorCode::kIo, "cannot make a pipe: {}", errno_text(errno));
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// All that the child needs between fork and exec, made before: there it may not allocate.
struct Launch {
  std::vector<std::string> environment;
  std::vector<char*> environment_words;
  std::vector<std::string> words;
  std::vector<char*> argument_words;
  std::optional<rlimit> open_files;
};

Launch make_launch(const ChildSpec& spec) {
  Launch launch;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto is_replaced = [&](const auto& pair) {
      return text.starts_with(pair.first) && text.substr(pair.first.size()).starts_with('=');
    };
    if (std::ranges::none_of(spec.environment, is_replaced)) launch.environment.emplace_back(text);
  }
  for (const auto& [name, value] : spec.environment) {
    launch.environment.push_back(name + "=" + value);
  }
  launch.words = spec.words;
  launch.open_files = spec.open_files;
  for (std::string& word : launch.environment) launch.environment_words.push_back(word.data());
  for (std::string& word : launch.words) launch.argument_words.push_back(word.data());
  launch.environment_words.push_back(nullptr);
  launch.argument_words.push_back(nullptr);
  return launch;
}

// In the child. Only what may be called between fork and exec in a program with threads.
[[noreturn]] void become(const char* program, const Launch& launch, const std::array<int, 3>& fds,
                         int report, pid_t parent) {
  setpgid(0, 0);
  // If we are killed outright, the job is run elsewhere: this run must not go on beside it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  for (int target = 0; target < 3; ++target) dup2(fds[static_cast<size_t>(target)], target);
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGCHLD, SIGHUP, SIGQUIT}) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    // What nohup has asked for is for the child too.
    if ((signal == SIGHUP || signal == SIGQUIT) && action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (launch.open_files) setrlimit(RLIMIT_NOFILE, &*launch.open_files);
  execve(program, launch.argument_words.data(), launch.environment_words.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(report, &error, sizeof error);
  _exit(127);
}

// Keeps all signals from this thread, and from what it forks: there, our handlers would act for us.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

void set_non_blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// A child that runs, and what it has said so far.
class Running {
 public:
  Running(const ChildSpec& spec, const std::function<bool()>& is_cancelled)
      : spec_(spec), is_cancelled_(is_cancelled) {}

  base::Status start();
  ChildEnd wait();

 private:
  void look_at_pipes(milliseconds most);
  void write_input();
  void read_output();
  void read_errors();
  // Whether there is room for more of the child's stderr.
  bool takes_errors() const;
  void pass_errors_on();
  // Reads what is there; false at the end of the stream.
  bool read_some(const Fd& fd, std::string& bytes) const;
  // Where the kernel gives no descriptor of a process there is only to ask, again and again.
  bool has_ended_unseen() const;
  void stop_if_asked();
  void end_group();
  bool group_has_others() const;

  const ChildSpec& spec_;
  const std::function<bool()>& is_cancelled_;
  pid_t pid_ = -1;
  ChildGroup group_;
  Fd process_;  // Readable when it has ended; closed where there is no such thing.
  Fd input_;
  Fd output_;
  Fd errors_;
  size_t written_ = 0;
  std::string unpassed_;  // Of its stderr, what ours has not taken yet.
  base::MonoTime pass_until_{};
  bool stderr_is_stuck_ = false;
  bool has_ended_ = false;
  bool was_killed_ = false;
  base::MonoTime kill_at_{};
  ChildEnd end_;
};

base::Status Running::start() {
  Pipe input = TRY(make_pipe());
  Pipe output = TRY(make_pipe());
  Pipe errors = TRY(make_pipe());
  Pipe report = TRY(make_pipe());
  const Launch launch = make_launch(spec_);
  const std::array<int, 3> fds = {input.read.get(), output.write.get(), errors.write.get()};
  const pid_t parent = getpid();
  {
    const SignalsHeld held;
    pid_ = fork();
    if (pid_ < 0) return fail(ErrorCode::kIo, "cannot start a process: {}", errno_text(errno));
    if (pid_ == 0) become(spec_.program.c_str(), launch, fds, report.write.get(), parent);
    setpgid(pid_, pid_);  // Also here: whoever comes first.
    group_.note(pid_);
  }
  report.write.reset();
  int error = 0;
  if (read(report.read.get(), &error, sizeof error) == sizeof error) {
    group_.forget();
    waitpid(pid_, nullptr, 0);
    return fail(error == E2BIG ? ErrorCode::kTooBig : ErrorCode::kIo, "cannot run {}: {}",
                spec_.program, errno_text(error));
  }
  process_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  input_ = std::move(input.write);
  output_ = std::move(output.read);
  errors_ = std::move(errors.read);
  for (const Fd* fd : {&input_, &output_, &errors_}) set_non_blocking(fd->get());
  if (spec_.input.empty()) input_.reset();
  return {};
}

void Running::write_input() {
  while (written_ < spec_.input.size()) {
    const ssize_t count =
        write(input_.get(), spec_.input.data() + written_, spec_.input.size() - written_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) break;  // It does not want to read: its own affair.
    written_ += static_cast<size_t>(count);
  }
  input_.reset();
}

bool Running::read_some(const Fd& fd, std::string& bytes) const {
  bytes.resize(kReadBytes);
  for (;;) {
    const ssize_t count = read(fd.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return count > 0 || (count < 0 && errno == EAGAIN);
  }
}

void Running::read_output() {
  std::string bytes;
  if (!read_some(output_, bytes)) return output_.reset();
  const size_t room = spec_.output_bytes_max - end_.output.size();
  if (bytes.size() > room) end_.output_was_cut = true;
  end_.output.append(bytes, 0, room);
}

void Running::read_errors() {
  std::string bytes;
  if (!read_some(errors_, bytes)) return errors_.reset();
  if (spec_.pass_errors_on) {
    if (unpassed_.empty()) pass_until_ = now() + kStderrPatience;
    unpassed_ += bytes;
  }
  end_.errors += bytes;
  const size_t size = end_.errors.size();
  if (size > spec_.error_bytes_max) end_.errors.erase(0, size - spec_.error_bytes_max);
}

bool Running::takes_errors() const {
  return unpassed_.size() < (has_ended_ ? kLastErrorsBytesMax : 1);
}

// A reader that is slow slows the child down, as a pipe between them would; one that does not read
// at all must not keep the child, nor us from looking at its time limit.
void Running::pass_errors_on() {
  if (unpassed_.empty()) return;
  const size_t taken = write_at_once(unpassed_);
  unpassed_.erase(0, taken);
  if (taken > 0) {
    stderr_is_stuck_ = false;
    pass_until_ = now() + kStderrPatience;
  } else if (stderr_is_stuck_ || now() >= pass_until_) {
    stderr_is_stuck_ = true;
    unpassed_.clear();
  }
}

void Running::look_at_pipes(milliseconds most) {
  std::array<pollfd, 5> entries{{{process_.get(), POLLIN, 0},
                                 {input_.get(), POLLOUT, 0},
                                 {output_.get(), POLLIN, 0},
                                 {takes_errors() ? errors_.get() : -1, POLLIN, 0},
                                 {unpassed_.empty() ? -1 : STDERR_FILENO, POLLOUT, 0}}};
  if (has_ended_) entries[0].fd = -1;
  if (poll(entries.data(), entries.size(), static_cast<int>(most.count())) <= 0) return;
  if (entries[1].revents != 0) write_input();
  if (entries[2].revents != 0) read_output();
  if (entries[3].revents != 0) read_errors();
  has_ended_ = has_ended_ || entries[0].revents != 0;
}

bool Running::has_ended_unseen() const {
  if (process_.is_open()) return false;
  siginfo_t info{};
  // It stays to be waited for: until then its number is nobody else's.
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

void Running::stop_if_asked() {
  if (!end_.was_stopped) {
    if (!is_cancelled_()) return;
    end_.was_stopped = true;
    kill_at_ = now() + spec_.kill_after;
    kill(-pid_, SIGTERM);
  } else if (!was_killed_ && now() >= kill_at_) {
    was_killed_ = true;
    kill(-pid_, SIGKILL);
  }
}

// Requires: the child itself has been waited for.
bool Running::group_has_others() const {
  // Where we are the first process of a container its orphans are ours, and stay until we look.
  // Where that is another, a dead one that it does not ask after counts until kill_after.
  while (waitpid(-pid_, nullptr, WNOHANG) > 0) {
  }
  return kill(-pid_, 0) == 0 || errno == EPERM;
}

// A shell ends at SIGTERM at once, what it has started may have to clean up.
void Running::end_group() {
  while (group_has_others()) {
    if (now() >= kill_at_) {
      kill(-pid_, SIGKILL);
      return;
    }
    look_at_pipes(kLook);
    pass_errors_on();
  }
}

ChildEnd Running::wait() {
  while (!has_ended_) {
    stop_if_asked();
    look_at_pipes(kLook);
    pass_errors_on();
    has_ended_ = has_ended_ || has_ended_unseen();
  }
  if (!end_.was_stopped) group_.forget();
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) end_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
  input_.reset();
  // The group's number cannot be another's as long as somebody is in it, nor come round within a
  // look.
  if (end_.was_stopped) end_group();
  group_.forget();
  const base::MonoTime until = now() + kLastWords;
  while ((output_.is_open() || errors_.is_open() || !unpassed_.empty()) && now() < until) {
    look_at_pipes(kLook);
    pass_errors_on();
  }
  return std::move(end_);
}

}  // namespace

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (access(name.c_str(), X_OK) == 0) return name;
    return fail(ErrorCode::kNotFound, "cannot run {}: {}", name, errno_text(errno));
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    std::string program = std::string(folder.empty() ? "." : folder) + "/" + name;
    if (access(program.c_str(), X_OK) == 0) return program;
    rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
  }
  return fail(ErrorCode::kNotFound, "there is no command {} in PATH", name);
}

Result<ChildEnd> run_child(const ChildSpec& spec, const std::function<bool()>& is_cancelled) {
  Running child(spec, is_cancelled);
  TRY(child.start());
  return child.wait();
}

}  // namespace cli
