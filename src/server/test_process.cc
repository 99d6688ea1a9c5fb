#include "server/test_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace server {
namespace {

constexpr int kDeadlineMs = 30'000;

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return {ends[0], ends[1]};
}

void close_end(int& end) {
  if (end >= 0) ::close(end);
  end = -1;
}

}  // namespace

TestProcess::TestProcess(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {DRAY_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const Pipe output = make_pipe();
  const Pipe errors = make_pipe();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output.write, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors.write, STDERR_FILENO);
  // A server in this process keeps signals from its threads.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  const int failed =
      ::posix_spawn(&id_, DRAY_BINARY, &actions, &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(output.write);
  ::close(errors.write);
  output_pipe_ = output.read;
  errors_pipe_ = errors.read;
  if (failed != 0) throw std::runtime_error("cannot start " DRAY_BINARY);
}

TestProcess::~TestProcess() {
  if (id_ > 0) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  close_end(output_pipe_);
  close_end(errors_pipe_);
}

bool TestProcess::read() {
  std::array<pollfd, 2> ends{};
  ends[0] = {.fd = output_pipe_, .events = POLLIN, .revents = 0};
  ends[1] = {.fd = errors_pipe_, .events = POLLIN, .revents = 0};
  if (::poll(ends.data(), ends.size(), kDeadlineMs) <= 0) {
    throw std::runtime_error("the process says nothing and does not end; it said: " + output_ +
                             errors_);
  }
  for (const pollfd& end : ends) {
    if (end.fd < 0 || end.revents == 0) continue;
    const bool is_output = end.fd == output_pipe_;
    std::array<char, 4'096> piece;
    const ssize_t size = ::read(end.fd, piece.data(), piece.size());
    if (size > 0) {
      (is_output ? output_ : errors_).append(piece.data(), static_cast<size_t>(size));
    } else {
      close_end(is_output ? output_pipe_ : errors_pipe_);
    }
  }
  return output_pipe_ >= 0 || errors_pipe_ >= 0;
}

void TestProcess::wait_until_ready() {
  while (output_.find('\n') == std::string::npos) {
    if (!read()) throw std::runtime_error("the server did not start: " + errors_);
  }
  // "ready resp=HOST:PORT http=HOST:PORT".
  const size_t resp = output_.find("resp=");
  const size_t http = output_.find(" http=");
  if (!output_.starts_with("ready ") || resp == std::string::npos || http == std::string::npos) {
    throw std::runtime_error("no ready line: " + output_);
  }
  resp_ = output_.substr(resp + 5, http - resp - 5);
  http_ = output_.substr(http + 6, output_.find('\n') - http - 6);
}

void TestProcess::signal(int number) {
  ::kill(id_, number);
}

int TestProcess::wait() {
  while (read()) {
  }
  int status = 0;
  ::waitpid(id_, &status, 0);
  id_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace server
