// Pushes, keys and cancels that the server applies all or none, in one durable commit.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dray/job.h"
#include "dray/keys.h"

namespace dray {

class Client;
namespace detail {
struct Access;
}

// Made by Client::transaction(); must not outlive the client. Collects without asking the server;
// dropped when it goes without commit().
// Threading: one owner.
class Transaction {
 public:
  explicit Transaction(Client& client);
  ~Transaction();
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;

  void push(NewJob job);
  // As those of Keys. A conditional set() whose condition does not hold is passed over.
  void set(std::string_view name, std::string_view value, const SetOptions& options = {});
  void remove(std::string_view name);
  void add(std::string_view name, int64_t by = 1);
  // A job that is finished, or not there, is passed over.
  void cancel(std::string_view id);

  // Returns what became of each push, in their order; the transaction is empty then. Throws
  // RejectedError, with kExecAbort when one of the commands could not be applied: then nothing has
  // happened. Throws UnknownError when the answer got lost; without add() and conditional set() it
  // is rather sent again, which makes no job twice.
  std::vector<Pushed> commit();

 private:
  friend struct detail::Access;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dray
