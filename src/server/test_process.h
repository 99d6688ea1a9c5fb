// The server's binary as a process of its own, for tests of what only a process shows: exit codes,
// signals, kill -9.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace server {

class TestProcess {
 public:
  // Starts `dray` with these arguments.
  explicit TestProcess(const std::vector<std::string>& arguments);
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;
  ~TestProcess();

  // Waits for the ready line. Fails the test, with what the process said, when it does not come.
  void wait_until_ready();
  const std::string& resp() const { return resp_; }
  const std::string& http() const { return http_; }

  void signal(int number);
  // Waits for the end. Returns the exit code, or minus the signal.
  int wait();
  // All that it printed; after wait().
  const std::string& output() const { return output_; }
  const std::string& errors() const { return errors_; }
  pid_t id() const { return id_; }

 private:
  // Takes what there is; returns false when both ends are closed.
  bool read();

  pid_t id_ = -1;
  int output_pipe_ = -1;
  int errors_pipe_ = -1;
  std::string output_;
  std::string errors_;
  std::string resp_;
  std::string http_;
};

}  // namespace server
