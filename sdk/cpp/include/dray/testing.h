// For tests of applications: without a server (Fake, Inline, run_job), and with a real one
// (Server).
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dray/client.h"
#include "dray/worker.h"

namespace dray::testing {

// A client that only records what is pushed. It answers as a server does to the same `key`,
// `request` and `unique` again; get() and wait() know what was pushed; everything else throws
// kBadReq.
// Threading: any thread may call any method.
class Fake {
 public:
  Fake();
  ~Fake();
  Fake(const Fake&) = delete;
  Fake& operator=(const Fake&) = delete;

  Client& client();
  // The jobs that are new, oldest first; of one type, or of all.
  std::vector<NewJob> pushed(std::string_view type = {}) const;
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A client whose push runs the job's handler before it returns, once, without regard to delays.
// What the handler throws, the push throws, but for Snooze; what it pushes is run as well. get()
// tells its result; everything else is as with Fake. Threading: any thread may call any method.
class Inline {
 public:
  // With the handlers and the middleware of `worker`, which must outlive it and is not run.
  explicit Inline(const Worker& worker);
  ~Inline();
  Inline(const Inline&) = delete;
  Inline& operator=(const Inline&) = delete;

  Client& client();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What one run of a handler came to.
struct Ran {
  JobRecord job = {};               // With state, result, progress, and the failure as history.
  std::vector<NewJob> pushed = {};  // By the handler, in order.
  std::vector<std::string> log = {};
};

// Runs one job with the worker's handlers and middleware, in the caller's thread. Throws kBadReq
// when there is no handler; what the handler throws is in the history.
Ran run_job(const Worker& worker, const NewJob& job, int attempt = 1);

// A real server with a fresh folder for its data and a free port, for as long as this lives. Make
// it on a thread that outlives it: it ends with that thread, so that a test that crashes leaves
// none. Threading: one owner.
class Server {
 public:
  // `binary` is the program; empty: $DRAY_BINARY, else `dray` in PATH. Throws kUnreachable when it
  // does not start.
  explicit Server(std::string binary = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // For ClientOptions.
  const std::string& url() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dray::testing
