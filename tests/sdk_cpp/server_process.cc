#include "tests/sdk_cpp/server_process.h"

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
#include <fstream>
#include <stdexcept>

namespace sdk_test {
namespace {

constexpr int kPatienceMs = 30'000;

std::vector<char*> words_of(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::string dray_binary() {
  const char* from_environment = std::getenv("DRAY_BINARY");
  return from_environment != nullptr ? from_environment : DRAY_BINARY_PATH;
}

bool eventually(const std::function<bool()>& holds) {
  constexpr int kLookMs = 2;
  constexpr int kLooks = 20'000 / kLookMs;
  for (int look = 0; look < kLooks; ++look) {
    if (holds()) return true;
    poll(nullptr, 0, kLookMs);
  }
  return false;
}

bool is_alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number;
  std::string name;
  std::string state;
  return (stat >> number >> name >> state) && state != "Z";
}

Process::Process(std::vector<std::string> words, const std::vector<std::string>& environment,
                 const std::string& errors) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::vector<std::string> variables = environment;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  const std::vector<char*> argument_words = words_of(words);
  const std::vector<char*> environment_words = words_of(variables);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
    execve(argument_words[0], argument_words.data(), environment_words.data());
    _exit(127);
  }
  close(ends[1]);
  out_ = ends[0];
  if (pid_ < 0) throw std::runtime_error("no process");
}

Process::~Process() {
  if (pid_ > 0) {
    signal(SIGKILL);
    wait();
  }
  close(out_);
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

int Process::wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool Process::read_more() {
  pollfd entry{out_, POLLIN, 0};
  if (poll(&entry, 1, kPatienceMs) <= 0) throw std::runtime_error("no output for 30 s");
  std::array<char, 4'096> buffer{};
  const ssize_t count = read(out_, buffer.data(), buffer.size());
  if (count > 0) unread_.append(buffer.data(), static_cast<size_t>(count));
  return count > 0;
}

std::string Process::read_line() {
  size_t end = unread_.find('\n');
  while (end == std::string::npos) {
    if (!read_more()) throw std::runtime_error("the output has ended: " + unread_);
    end = unread_.find('\n');
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

std::string Process::output() {
  while (read_more()) {
  }
  return std::move(unread_);
}

Folder::Folder() {
  path_ = (std::filesystem::temp_directory_path() / "dray-sdk-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

Folder::~Folder() {
  std::error_code fault;
  std::filesystem::remove_all(path_, fault);
}

Server::Server(std::vector<std::string> options) : options_(std::move(options)) {
  start();
}

void Server::start() {
  std::vector<std::string> words = {dray_binary(),     "serve",
                                    "--data",          folder_.path() + "/data",
                                    "--resp",          "127.0.0.1:" + std::to_string(port_),
                                    "--http",          "127.0.0.1:0",
                                    "--allow-volatile"};
  words.insert(words.end(), options_.begin(), options_.end());
  process_ = std::make_unique<Process>(words, std::vector<std::string>{}, folder_.path() + "/log");
  // ready resp=127.0.0.1:PORT http=…
  constexpr std::string_view kReady = "ready resp=127.0.0.1:";
  std::string line = process_->read_line();
  while (!line.starts_with(kReady)) line = process_->read_line();
  port_ = static_cast<uint16_t>(std::stoi(line.substr(kReady.size())));
}

void Server::kill() {
  process_->signal(SIGKILL);
  process_->wait();
  process_.reset();
}

}  // namespace sdk_test
