// The real server as a process of its own, which a test may kill.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sdk_test {

// A program that was started; killed when this goes. Threading: one owner.
class Process {
 public:
  // Throws std::runtime_error when it cannot be started. stdout can be read with read_line() or
  // output(); stderr goes to `errors` (a file), or nowhere.
  explicit Process(std::vector<std::string> words, const std::vector<std::string>& environment = {},
                   const std::string& errors = "/dev/null");
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Waits for the end; returns the exit code, or 128 + the signal.
  int wait();
  // The next line of stdout without its end; throws at the end of the stream or after 30 s.
  std::string read_line();
  // All of stdout until its end.
  std::string output();

 private:
  bool read_more();

  pid_t pid_ = -1;
  int out_ = -1;
  std::string unread_;
};

// A new folder under the temporary directory; removed with all in it when this goes.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// `dray serve` on a fresh data directory and a free port, which stays the same over restarts.
class Server {
 public:
  // With more words for `dray serve`.
  explicit Server(std::vector<std::string> options = {});

  std::string url() const { return "dray://127.0.0.1:" + std::to_string(port_); }
  uint16_t port() const { return port_; }
  // kill -9, and the end waited for.
  void kill();
  void start();
  void restart() {
    kill();
    start();
  }

 private:
  Folder folder_;
  std::vector<std::string> options_;
  uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
};

// Asks again and again until it holds; false after 20 s.
bool eventually(const std::function<bool()>& holds);

// Whether a process is there and not only waiting to be buried.
bool is_alive(pid_t pid);

// The path of the binary under test.
std::string dray_binary();

}  // namespace sdk_test
