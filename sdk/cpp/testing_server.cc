// The server that tests of applications run against.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "dray/testing.h"
#include "sdk/cpp/deadline.h"
#include "sdk/cpp/throw_error.h"

namespace dray::testing {
namespace {

constexpr milliseconds kStartMost{30'000};

[[noreturn]] void refuse(const std::string& what) {
  detail::throw_error(ErrorCode::kUnreachable, "cannot start a server: " + what);
}

std::string binary_of(std::string binary) {
  if (!binary.empty()) return binary;
  const char* from_environment = std::getenv("DRAY_BINARY");
  return from_environment != nullptr ? from_environment : "dray";
}

}  // namespace

struct Server::State {
  explicit State(const std::string& binary) {
    folder = (std::filesystem::temp_directory_path() / "dray-test-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) refuse("there is no temporary folder " + folder);
    start(binary);
    url = "dray://" + address(binary);
  }
  ~State() { end(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void start(const std::string& binary);
  // Reads the address from the line that says that the server is ready.
  std::string address(const std::string& binary);
  bool read_more(std::string& text, detail::Deadline deadline) const;
  void end();

  std::string folder;
  std::string url;
  pid_t process = -1;
  int output = -1;
};

void Server::State::start(const std::string& binary) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) refuse("there is no pipe");
  const std::string data = folder + "/data";
  const std::string log = folder + "/log";
  const std::array<const char*, 9> words = {binary.c_str(), "serve",       "--data",
                                            data.c_str(),   "--resp",      "127.0.0.1:0",
                                            "--http",       "127.0.0.1:0", "--allow-volatile"};
  std::array<char*, words.size() + 1> arguments{};
  for (size_t i = 0; i < words.size(); ++i) arguments[i] = const_cast<char*>(words[i]);
  process = fork();
  if (process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(ends[1]);
  output = ends[0];
  if (process < 0) {
    end();
    refuse("there is no process");
  }
}

bool Server::State::read_more(std::string& text, detail::Deadline deadline) const {
  pollfd entry{output, POLLIN, 0};
  if (poll(&entry, 1, deadline.poll_timeout()) <= 0 && errno != EINTR) return false;
  std::array<char, 512> buffer{};
  const ssize_t count = read(output, buffer.data(), buffer.size());
  if (count > 0) text.append(buffer.data(), static_cast<size_t>(count));
  return count > 0;
}

std::string Server::State::address(const std::string& binary) {
  constexpr std::string_view kReady = "ready resp=";
  const auto deadline = detail::Deadline::in(kStartMost);
  std::string text;
  for (;;) {
    const size_t begin = text.find(kReady);
    const size_t finish =
        begin == std::string::npos ? begin : text.find(' ', begin + kReady.size());
    if (finish != std::string::npos) {
      return text.substr(begin + kReady.size(), finish - begin - kReady.size());
    }
    if (read_more(text, deadline)) continue;
    end();
    refuse(binary + " did not become ready; set DRAY_BINARY to the program");
  }
}

void Server::State::end() {
  if (process > 0) {
    kill(process, SIGKILL);
    while (waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
    }
    process = -1;
  }
  if (output >= 0) close(std::exchange(output, -1));
  std::error_code fault;
  std::filesystem::remove_all(folder, fault);
}

Server::Server(std::string binary)
    : state_(std::make_unique<State>(binary_of(std::move(binary)))) {}
Server::~Server() = default;

const std::string& Server::url() const {
  return state_->url;
}

}  // namespace dray::testing
