// A process beside this one, for `dray bench`: another program, or a function of ours in a fork.
#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace cli {

// Ends with its owner, by SIGTERM, and with this process, whatever happens to it.
// Threading: one owner. Start them before this process has a second thread.
class SideProcess {
 public:
  // Errors: IO when there is no process to be had.
  static base::Result<SideProcess> run_program(const std::vector<std::string>& words);
  // What `work` returns can be read with output(). It must not throw.
  static base::Result<SideProcess> run_function(const std::function<std::string()>& work);

  SideProcess(SideProcess&& other) noexcept;
  SideProcess& operator=(SideProcess&&) = delete;
  ~SideProcess();

  pid_t id() const { return id_; }
  // The next line of its stdout without the end; empty when there is none any more.
  std::string read_line();
  // All that is left of its stdout.
  std::string output();

 private:
  SideProcess(pid_t id, int out) : id_(id), out_(out) {}
  bool read_more();

  pid_t id_;
  int out_;
  std::string unread_;
};

}  // namespace cli
