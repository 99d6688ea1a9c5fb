// Pushes a job, runs it in the same program, and prints its result.
//   dray serve --data /tmp/dray-data &
//   hello [URL]
#include <dray/client.h>
#include <dray/worker.h>

#include <cstdio>
#include <thread>

int main(int argc, char** argv) {
  try {
    // [hello]
    dray::Client client({.url = argc > 1 ? argv[1] : ""});  // Empty: $DRAY_URL, or this machine.

    dray::Worker worker(client, {.queues = {{"greetings"}}, .concurrency = 8});
    worker.on("hello", [](dray::Context& job) { return "hello, " + job.args(); });
    std::thread running([&] { worker.run(); });

    const dray::Pushed pushed = client.push("greetings", "hello", "world");
    const dray::JobRecord job = client.wait(pushed.id, std::chrono::seconds(30));
    std::printf("job %s %s: %s\n", job.id.c_str(), job.state.c_str(),
                job.result.value_or("no result").c_str());
    // [hello]

    worker.stop();
    running.join();
    return job.state == "succeeded" ? 0 : 1;
  } catch (const dray::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
