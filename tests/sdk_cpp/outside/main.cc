// Runs a job without a server, and throws through the library: enough of it to see that headers and
// library fit together.
#include <dray/client.h>
#include <dray/testing.h>
#include <dray/worker.h>

#include <cstdio>

// The library has namespaces of these names inside, which must not meet those of a user.
namespace base {
const char* error_word(int) {
  return "ours";
}
}  // namespace base

int main() {
  dray::Worker worker(dray::ClientOptions{}, {.queues = {{"q"}}});
  worker.on("greet", [](dray::Context& job) { return "hello, " + job.args(); });
  dray::testing::Inline inlined(worker);
  const dray::Pushed pushed = inlined.client().push("q", "greet", "world");
  std::printf("%s\n", inlined.client().get(pushed.id)->result.value_or("nothing").c_str());
  try {
    inlined.client().cancel(pushed.id);
  } catch (const dray::RejectedError& error) {
    std::printf("%s, %s\n", error.word().c_str(), base::error_word(1));
  }
}
