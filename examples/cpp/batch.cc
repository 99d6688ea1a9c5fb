// Pushes ten thousand jobs in one round trip: all of them are stored, or none.
//   batch [URL]
#include <dray/client.h>

#include <cstdio>

int main(int argc, char** argv) {
  try {
    dray::Client client({.url = argc > 1 ? argv[1] : ""});
    // [batch]
    std::vector<dray::NewJob> jobs;
    for (int row = 0; row < 10'000; ++row) {
      const std::string number = std::to_string(row);
      // Running this program twice pushes nothing new.
      jobs.push_back({.queue = "batch",
                      .type = "import_row",
                      .args = number,
                      .options = {.key = "row:" + number}});
    }
    int created = 0;
    for (const dray::Pushed& pushed : client.push_many(jobs)) created += pushed.created ? 1 : 0;
    // [batch]
    std::printf("%d new jobs, %lld ready in the queue\n", created,
                static_cast<long long>(client.stats("batch").ready));
    return 0;
  } catch (const dray::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
