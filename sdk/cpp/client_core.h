// What a Client is made of: a pool of connections, the middleware around pushes, and how commands
// are asked and their errors thrown.
#pragma once
#include <unistd.h>

#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "dray/client.h"
#include "sdk/cpp/channel.h"
#include "sdk/cpp/request.h"
#include "sdk/cpp/stand_in.h"

namespace dray::detail {

// Threading: any thread may call any method but use().
class ClientCore {
 public:
  // `stand_in` may be null, and then there is a server; else it must outlive the core.
  ClientCore(ClientOptions options, StandIn* stand_in);

  // A channel that nobody else uses meanwhile; goes back to the pool at its end.
  class Borrowed {
   public:
    explicit Borrowed(ClientCore& core) : core_(core), channel_(core.take()) {}
    ~Borrowed() { core_.give_back(std::move(channel_)); }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    Channel& operator*() const { return *channel_; }
    Channel* operator->() const { return channel_.get(); }

   private:
    ClientCore& core_;
    std::unique_ptr<Channel> channel_;
  };

  // All of these throw Error.
  protocol::RespValue ask(const Exchange& command);
  static protocol::RespValue ask(Channel& channel, const Exchange& command);
  // For the verbs that take ids and answer OK or an error for each.
  void ask_for_one(const Request& request, Repeat repeat);

  void use(PushMiddleware middleware) { middleware_.push_back(std::move(middleware)); }
  const std::vector<PushMiddleware>& middleware() const { return middleware_; }
  // Pushes `jobs`, all or none, within the middleware.
  std::vector<Pushed> push(std::span<const NewJob> jobs);
  // The same with another innermost step.
  std::vector<Pushed> push_within(std::span<NewJob> jobs, PushNext last);

  const ClientOptions& options() const { return options_; }
  StandIn* stand_in() const { return stand_in_; }

 private:
  std::unique_ptr<Channel> take();
  void give_back(std::unique_ptr<Channel> channel);
  std::vector<Pushed> send(std::span<const NewJob> jobs);

  const ClientOptions options_;
  const Target target_;
  StandIn* const stand_in_;
  std::vector<PushMiddleware> middleware_;  // Constant once calls are made.
  std::mutex mutex_;
  pid_t process_;                               // Guarded by mutex_.
  std::vector<std::unique_ptr<Channel>> idle_;  // Guarded by mutex_.
};

// Throws kInternal unless it holds: a server of another version may answer what we do not
// understand.
void expect(bool holds, std::string_view command);

}  // namespace dray::detail
