#include "cli/side_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace cli {
namespace {

void write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

struct Started {
  pid_t id;
  int out;
  int in_child;  // The end for writing.
};

base::Result<Started> start() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return base::fail(base::ErrorCode::kIo, "no pipe: {}", std::strerror(errno));
  }
  const pid_t id = fork();
  if (id < 0) {
    const int fault = errno;
    close(ends[0]);
    close(ends[1]);
    return base::fail(base::ErrorCode::kIo, "no process: {}", std::strerror(fault));
  }
  if (id == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
  } else {
    close(ends[1]);
  }
  return Started{id, ends[0], ends[1]};
}

}  // namespace

base::Result<SideProcess> SideProcess::run_program(const std::vector<std::string>& words) {
  // Nothing may be allocated between fork and exec.
  std::vector<std::string> copies = words;
  std::vector<char*> pointers;
  for (std::string& word : copies) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const Started started = TRY(start());
  if (started.id == 0) {
    dup2(started.in_child, STDOUT_FILENO);
    execv(pointers.front(), pointers.data());
    _exit(127);
  }
  return SideProcess(started.id, started.out);
}

base::Result<SideProcess> SideProcess::run_function(const std::function<std::string()>& work) {
  const Started started = TRY(start());
  if (started.id == 0) {
    write_all(started.in_child, work());
    _exit(0);
  }
  return SideProcess(started.id, started.out);
}

SideProcess::SideProcess(SideProcess&& other) noexcept
    : id_(std::exchange(other.id_, -1)),
      out_(std::exchange(other.out_, -1)),
      unread_(std::move(other.unread_)) {}

SideProcess::~SideProcess() {
  if (id_ < 0) return;
  close(out_);
  kill(id_, SIGTERM);
  while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool SideProcess::read_more() {
  std::array<char, 4'096> bytes;
  ssize_t count = 0;
  do {
    count = read(out_, bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return false;
  unread_.append(bytes.data(), static_cast<size_t>(count));
  return true;
}

std::string SideProcess::read_line() {
  while (unread_.find('\n') == std::string::npos) {
    if (!read_more()) return {};
  }
  const size_t end = unread_.find('\n');
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

std::string SideProcess::output() {
  while (read_more()) {
  }
  return std::exchange(unread_, {});
}

}  // namespace cli
