// How a handler says what is to become of a failed job.
//   retries [URL]
#include <dray/client.h>
#include <dray/worker.h>

#include <cstdio>
#include <thread>

namespace {

using std::chrono_literals::operator""ms;

// [retries]
// A class of its own in the job's history, and in the rules that go by classes.
class NoSuchUser : public dray::PermanentError {
  using PermanentError::PermanentError;
};

void send_email(dray::Context& job) {
  // Never going to work: dead at once, kept with this message.
  if (job.args() == "nobody") throw NoSuchUser("there is no user " + job.args());
  // So is every std::invalid_argument: see permanent() below.
  if (job.args() == "no@t@n address") throw std::invalid_argument("this is no address");
  // The other side said when to come back.
  if (job.args() == "limited" && job.attempt() == 1) {
    throw dray::RetryLater(50ms, "429 from the API");
  }
  // "Not now" is no failure: it costs no attempt.
  if (job.args() == "early" && job.fence() == 1) throw dray::Snooze(50ms);
  // Any other exception: run again, by the backoff that the push asked for.
  if (job.attempt() < 3) throw std::runtime_error("the mail server is away");
}
// [retries]

void print(const dray::JobRecord& job) {
  std::printf("%s: %s after %d of %d attempts\n", job.args.c_str(), job.state.c_str(), job.attempt,
              job.max_attempts);
  for (const dray::AttemptRecord& attempt : job.history) {
    std::printf("  %d %s %s: %s\n", attempt.attempt, attempt.outcome.c_str(),
                attempt.error_class.c_str(), attempt.message.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    dray::Client client({.url = argc > 1 ? argv[1] : ""});
    dray::Worker worker(client, {.queues = {{"retries"}}});
    worker.on("send_email", send_email);
    worker.permanent<std::invalid_argument>();
    std::thread running([&] { worker.run(); });

    for (const char* user : {"ann", "nobody", "no@t@n address", "limited", "early"}) {
      const dray::Pushed pushed = client.push("retries", "send_email", user,
                                              {.attempts = 4, .backoff = "exponential:20,2,1000"});
      print(client.wait(pushed.id, std::chrono::seconds(30)));
    }
    worker.stop();
    running.join();
    return 0;
  } catch (const dray::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
