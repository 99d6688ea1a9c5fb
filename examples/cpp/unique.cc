// Doing a thing once, although it is asked for more than once.
//   unique [URL]
#include <dray/client.h>
#include <dray/worker.h>

#include <cstdio>
#include <thread>

namespace {

// [unique]
// Charges an order once, however often it is called: whoever is not the first gets that one's id.
dray::Pushed charge(dray::Client& client, const std::string& order) {
  return client.push("payments", "charge", order, {.attempts = 10, .key = "charge:" + order});
}

// Runs again when its worker dies half-way, but the receipt is sent once: it is pushed in the
// commit that makes this job succeed.
void run_charge(dray::Context& job) {
  dray::Transaction next = job.client().transaction();
  next.push({.queue = "payments", .type = "receipt", .args = job.args()});
  next.set("charged:" + job.args(), job.id(), {.ttl = std::chrono::hours(24)});
  job.finish(next);
}
// [unique]

}  // namespace

int main(int argc, char** argv) {
  using std::chrono_literals::operator""s;
  try {
    dray::Client client({.url = argc > 1 ? argv[1] : ""});
    const dray::Pushed first = charge(client, "order-7");
    const dray::Pushed second = charge(client, "order-7");
    std::printf("%s, then %s\n", first.created ? "new" : "known", second.created ? "new" : "known");

    // A form that is sent twice: a name for the request, instead of one for the job.
    const dray::PushOptions form{.request = "form-4f1c", .request_for = 600s};
    const dray::Pushed sent = client.push("payments", "refund", "order-6", form);
    const dray::Pushed again = client.push("payments", "refund", "order-6", form);
    std::printf("the form again: %s\n", again.id == sent.id ? "the same job" : "another job");

    dray::Worker worker(client, {.queues = {{"payments"}}});
    worker.on("charge", run_charge);
    worker.on("receipt", [&](dray::Context& job) {
      std::printf("receipt for %s\n", job.args().c_str());
      worker.stop();
    });
    worker.run();
    std::printf("charged by the same job: %s\n",
                client.keys().get("charged:order-7") == first.id ? "yes" : "no");
    return 0;
  } catch (const dray::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
