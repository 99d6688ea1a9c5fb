// The handlers of a worker with all that stands around them: middleware, and the exceptions that
// are permanent.
#pragma once
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dray/worker.h"
#include "sdk/cpp/outcome.h"

namespace dray::detail {

// Threading: filled by one thread; then constant, and any thread may call the const methods.
class Handlers {
 public:
  // Throws kBadReq when the type is empty or has a handler.
  void add(std::string type, Handler handler);
  void add_any(Handler handler) { any_ = std::move(handler); }
  void use(RunMiddleware middleware) { middleware_.push_back(std::move(middleware)); }
  void add_permanent(std::function<bool()> is_permanent) {
    permanent_.push_back(std::move(is_permanent));
  }

  bool empty() const { return by_type_.empty() && !any_; }
  // The types to ask for; empty: all.
  std::vector<std::string> types() const;
  // Runs the handler of the job's type. No exception leaves it: what is thrown becomes the outcome.
  // nullopt: there is none. `thrown` may be null; it is given what made the run fail.
  std::optional<Outcome> run(Context& context, std::exception_ptr* thrown = nullptr) const;

 private:
  const Handler* find(const std::string& type) const;
  std::optional<std::string> call_within(const Handler& handler, Context& context) const;
  // Of the exception that is being handled.
  Outcome failed() const;
  bool is_permanent() const;

  std::map<std::string, Handler, std::less<>> by_type_;
  Handler any_;
  std::vector<RunMiddleware> middleware_;
  std::vector<std::function<bool()>> permanent_;
};

}  // namespace dray::detail
