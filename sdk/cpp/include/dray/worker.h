// Runs jobs: handlers by type on threads of its own, with leases kept alive, cancellation, a
// graceful stop and reconnection.
#pragma once
#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dray/client.h"
#include "dray/codec.h"
#include "dray/context.h"
#include "dray/event.h"
#include "dray/middleware.h"

namespace dray {

struct WorkerQueue {
  std::string name = {};
  // 0 everywhere: queues are served strictly in the order given. Else each has a weight >= 1 and
  // gets that share of the starts while all have jobs.
  int weight = 0;
};

struct WorkerOptions {
  std::vector<WorkerQueue> queues = {};
  int concurrency = 4;  // Handlers at the same time, each on its own thread. 1 to 1,000.
  // After stop(): how long running handlers may take before their jobs are given back.
  milliseconds grace{25'000};
  // How long a handler that is told to end (time limit, end of the grace) may take to do so: until
  // then its job is neither failed nor given back, so that it does not run elsewhere beside it. At
  // a stop a result counts, and what is thrown (but for PermanentError) gives the job back. The
  // server itself fails a run at 5 s, or 10 %, beyond its time limit.
  milliseconds cancel_grace{0};
  // How long an idle worker waits in one request for a job; at most 60 s.
  milliseconds block{5'000};
  // A job whose workers died is leased only to a worker that holds nothing else. A worker that has
  // held something for suspect_interval stops fetching for at most suspect_patience, so that such a
  // job has its turn. No effect with concurrency 1. interval 0: never on purpose.
  milliseconds suspect_interval{15'000};
  milliseconds suspect_patience{1'000};
  // A label for people. Empty: host:pid:random.
  std::string name = {};
  // Called with one line when something happens that an operator wants to know: a lost connection,
  // a lost lease, an answer that could not be delivered. Empty: the line goes to stderr. Called by
  // any of the worker's threads; must not throw.
  std::function<void(std::string_view line)> notice = {};
  // Called when a job starts, and when the server has heard how it ended. Called by any of the
  // worker's threads, which wait for it; must not throw.
  std::function<void(const WorkerEvent& event)> on_event = {};
};

// What became of the jobs of one run().
struct WorkerReport {
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t released = 0;    // Given back: snoozed, or at the stop.
  uint64_t lost = 0;        // The lease was over before we were: cancelled by force, or taken.
  uint64_t unfinished = 0;  // Handlers that still ran when run() returned.
};

// Returns what the job is to leave as its result, up to 1 MiB; nullopt: none.
using Handler = std::function<std::optional<std::string>(Context&)>;

namespace detail {
// Lets a handler return nothing, text, or anything that a Codec writes.
template <typename Function, typename... Parameters>
std::optional<std::string> result_of(Function& handler, Parameters&&... parameters) {
  using Result = std::invoke_result_t<Function&, Parameters...>;
  if constexpr (std::is_void_v<Result>) {
    handler(std::forward<Parameters>(parameters)...);
    return std::nullopt;
  } else if constexpr (std::is_convertible_v<Result, std::optional<std::string>>) {
    return handler(std::forward<Parameters>(parameters)...);
  } else {
    return Codec<std::remove_cvref_t<Result>>::encode(
        handler(std::forward<Parameters>(parameters)...));
  }
}
}  // namespace detail

// Lifetime: all registrations before run(); run() once. The destructor waits for handlers that
// still run; a program that cannot wait calls std::quick_exit, which loses nothing, as their jobs
// have been given back. Threading: run() uses the caller's thread to fetch, `concurrency` threads
// for handlers, one that keeps leases alive and one that delivers answers, each with a connection
// of its own. stop() may be called by any thread.
class Worker {
 public:
  Worker(ClientOptions client, WorkerOptions options);
  // With the settings and the middleware of a client, also for what handlers push; it need not
  // outlive the worker.
  Worker(const Client& client, WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Registers the handler of a type: a function that takes a Context& and returns nothing, its
  // result as std::string or std::optional<std::string>, or anything that has a Codec. It is called
  // by `concurrency` threads at once, and may throw: see errors.h. Only jobs of registered types
  // are fetched. Throws kBadReq for a type that has one already.
  template <typename Function>
    requires std::invocable<Function&, Context&>
  void on(const std::string& type, Function handler) {
    add(type, [handler = std::move(handler)](Context& context) mutable {
      return detail::result_of(handler, context);
    });
  }
  // The handler also takes the job's args, as Codec<Args> reads them; a job whose args cannot be
  // read is dead at once, with class dray::BadArgs.
  template <Decodable Args, typename Function>
    requires std::invocable<Function&, Context&, const Args&>
  void on(const std::string& type, Function handler) {
    add(type, [handler = std::move(handler)](Context& context) mutable {
      return detail::result_of(handler, context, decode_args<Args>(context.args()));
    });
  }
  // For every type that has no handler of its own; with it, jobs of all types are fetched.
  template <typename Function>
    requires std::invocable<Function&, Context&>
  void on_any(Function handler) {
    add_any([handler = std::move(handler)](Context& context) mutable {
      return detail::result_of(handler, context);
    });
  }

  // Puts `middleware` around every handler; the first one is the outermost.
  void use(RunMiddleware middleware);
  // A handler that throws an Exception, or a class derived from it, makes its job dead at once.
  template <typename Exception>
  void permanent() {
    add_permanent([] {
      try {
        throw;
      } catch (const Exception&) {
        return true;
      } catch (...) {
        return false;
      }
    });
  }

  // Runs jobs until stop() is called, then: fetches no more, waits up to `grace` for handlers,
  // tells them to end and waits up to `cancel_grace`, gives back what is unfinished without the
  // loss of an attempt, returns. While the server is away it goes on trying to reconnect. Throws
  // Error for what waiting does not mend: a wrong password, no permission, a bad name, no handler.
  WorkerReport run();

  void stop();
  // At one of these signals the worker stops as with stop(); at the second one it does not wait for
  // handlers. One worker per process can have this. Call before run().
  void stop_on_signals(std::initializer_list<int> signals);
  // SIGTERM and SIGINT.
  void stop_on_signals();

 private:
  friend struct detail::Access;

  void add(std::string type, Handler handler);
  void add_any(Handler handler);
  // `is_permanent` looks at the exception that is being handled.
  void add_permanent(std::function<bool()> is_permanent);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dray
