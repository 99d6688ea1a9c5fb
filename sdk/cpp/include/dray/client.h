// Pushes jobs, asks about them, and keeps keys.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dray/codec.h"
#include "dray/errors.h"
#include "dray/job.h"
#include "dray/keys.h"
#include "dray/middleware.h"
#include "dray/transaction.h"

namespace dray {

// For a server that is reached with TLS (drays://). Its certificate is always checked, and so is
// that it is for the URL's host; a server with a certificate of its own making is given as its own
// CA. All files are in PEM. They are read for each connection: what is renewed needs no restart.
struct TlsOptions {
  // Who is trusted: certificates of authorities. Empty: $DRAY_TLS_CA, and without that the
  // system's.
  std::string ca_file = {};
  // Our own certificate (with those between it and its authority), and its key without a
  // passphrase, for a server that asks for one. Both empty: $DRAY_TLS_CERT and $DRAY_TLS_KEY.
  std::string cert_file = {};
  std::string key_file = {};
  // The name or address that the server's certificate has to be for. Empty: $DRAY_TLS_NAME, and
  // without that the host of the URL.
  std::string server_name = {};

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

struct ClientOptions {
  // dray://[user:password@]host[:port][/namespace]; redis:// means the same. With TLS: drays:// or
  // rediss://. Empty: $DRAY_URL, and without that dray://127.0.0.1:3729.
  std::string url = {};
  TlsOptions tls = {};  // Only with a URL that asks for TLS.
  // What the server shows to people for this connection. Empty: host:pid:random.
  std::string name = {};
  // Until a connection is there and let in, including the TLS handshake.
  milliseconds connect_timeout{2'000};
  // A connection that is silent for so long, beyond what a command may wait, is taken for dead.
  milliseconds answer_timeout{15'000};
  // How long one call goes on reconnecting, with growing pauses, and asking again where the server
  // says "later" (OVERLOADED, SHUTTINGDOWN …). 0: one go.
  milliseconds retry_for{30'000};
};

// Whether a command may be sent again when its answer got lost.
enum class Repeat : uint8_t { kSafe, kNever };

// Threading: any thread may call any method. Calls from several threads run at the same time, each
// on a connection of its own. After fork() the child opens its own connections.
// Errors: every method that talks to the server throws RejectedError or UnknownError;
// kUnreachable when no server answered within retry_for. kBadReq, at once, for a certificate that
// is not accepted, theirs or ours, and for a server that does not speak TLS. Lost
// connections are made anew, and what may be sent again is.
class Client {
 public:
  // Opens no connection yet. Throws Error kBadReq for a URL that is none, or a file of `tls` that
  // cannot be used.
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Returns when the job is on disk. `args` are any bytes up to 1 MiB, JSON by convention. Sent
  // again over a new connection when the answer got lost; the server knows it again, so that there
  // is one job.
  Pushed push(const NewJob& job);
  Pushed push(std::string_view queue, std::string_view type, std::string_view args,
              const PushOptions& options = {});
  // All or none, in one round trip: up to 10,000 jobs and 16 MiB. In the order of `jobs`.
  std::vector<Pushed> push_many(std::span<const NewJob> jobs);
  // With args of a type of your own, written by its Codec.
  template <Encodable Args>
    requires(!std::convertible_to<const Args&, std::string_view>)
  Pushed push(std::string_view queue, std::string_view type, const Args& args,
              const PushOptions& options = {}) {
    return push(queue, type, std::string_view(Codec<Args>::encode(args)), options);
  }
  // Pushes, keys and cancels, all or none: fill it, then commit().
  Transaction transaction() { return Transaction(*this); }
  // Puts `middleware` around every later push, also those of batches and transactions; the first
  // one is the outermost. Requires: no other call is under way.
  void use(PushMiddleware middleware);

  // In all of these `id` may be "key:<name>".
  std::optional<JobRecord> get(std::string_view id);
  // Returns when the job is finished, or `timeout` is over: see its state. A job whose record is
  // gone has state "gone". Throws kNotFound for an id that never was.
  JobRecord wait(std::string_view id, milliseconds timeout);
  // Of all jobs; up to 1,000.
  std::vector<JobRecord> wait(std::span<const std::string> ids, milliseconds timeout);

  // Throw kBadState, kNotFound or kGone when it cannot be done. A running job is asked to stop;
  // with `force` it is cancelled at once, whatever its worker does.
  void cancel(std::string_view id, bool force = false);
  // Starts a finished job again from its first attempt. Never sent twice: kUnknown when the answer
  // got lost.
  void retry(std::string_view id);
  void remove(std::string_view id);

  void pause(std::string_view queue, std::string_view reason = {});
  void resume(std::string_view queue);
  QueueStats stats(std::string_view queue);
  std::vector<std::string> queues();

  Keys keys() { return Keys(*this); }

  // Any command. An error at the top of the answer is thrown, one inside it is a Value of kind
  // kError. `wait` is how long the command itself may take (BLOCK).
  Value call(const std::vector<std::string>& words, Repeat repeat = Repeat::kNever,
             milliseconds wait = milliseconds{0});

  const ClientOptions& options() const;

 private:
  friend struct detail::Access;
  struct State;
  explicit Client(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace dray
