// The C++ worker of `./x demo`: handlers for the jobs that the demo pushes.
//   demo_worker URL FOLDER        FOLDER holds the ledger of payments.
//
// What its jobs do is played: an e-mail is a short pause. How they fail is not: exceptions are
// thrown, and one kind of video aborts the whole process.
#include <dray/worker.h>
#include <fcntl.h>
#include <simdjson.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace shop {

// The classes of failures as they stand in the jobs' histories.
class NoSuchMailbox : public dray::PermanentError {
  using PermanentError::PermanentError;
};

class MailServerAway : public std::runtime_error {
  using runtime_error::runtime_error;
};

}  // namespace shop

namespace {

using namespace std::chrono_literals;

// The fields of a job's args; a job whose args are no JSON is dead at once, and says so.
class Args {
 public:
  explicit Args(const dray::Context& job) {
    if (parser_.parse(job.args()).get(root_) != simdjson::SUCCESS) {
      throw dray::PermanentError("the args are no JSON");
    }
  }
  std::string text(std::string_view field) const {
    std::string_view value;
    if (root_[field].get(value) != simdjson::SUCCESS) {
      throw dray::PermanentError("the args have no text " + std::string(field));
    }
    return std::string(value);
  }
  int64_t number(std::string_view field, int64_t otherwise) const {
    int64_t value = otherwise;
    return root_[field].get(value) == simdjson::SUCCESS ? value : otherwise;
  }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
};

std::string send_email(dray::Context& job) {
  const Args args(job);
  const std::string to = args.text("to");
  if (to.find('@') == std::string::npos) throw shop::NoSuchMailbox("no mailbox '" + to + "'");
  if (job.attempt() <= args.number("fails", 0)) throw shop::MailServerAway("451 come back later");
  job.wait(60ms);
  return "{\"sent_to\":\"" + to + "\"}";
}

// Goes on where an earlier run, whose worker died, had left it.
std::string generate_report(dray::Context& job) {
  const int64_t rows = Args(job).number("rows", 1'000);
  const int64_t done = std::atoll(job.saved_progress().value_or("0").c_str());
  for (int64_t percent = done; percent < 100; percent += 5) {
    job.progress(std::to_string(percent));
    if (job.wait(150ms)) return {};
  }
  job.progress("100");
  return "{\"rows\":" + std::to_string(rows) + "}";
}

std::string process_video(dray::Context& job) {
  const std::string file = Args(job).text("file");
  job.wait(250ms);
  // A codec that writes where it should not: nothing in this process survives it.
  if (file == "poison.mp4") std::abort();
  return "{\"transcoded\":\"" + file + "\"}";
}

// Charges an order once, however often it is asked to: the ledger's entry is made first, and a run
// that finds it there is done.
std::string process_payment(dray::Context& job, const std::string& folder) {
  const std::string order = Args(job).text("order");
  const std::string path = folder + "/" + order;
  const int entry = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (entry < 0) return "{\"charged\":\"before\"}";
  close(entry);
  job.wait(40ms);
  return "{\"charged\":\"" + order + "\"}";
}

// A step of the image pipeline pushes the next one. A step may run again after a crash, so what it
// pushes has a key: it is one job all the same.
std::string next_step(dray::Context& job, const std::string& next) {
  const std::string image = Args(job).text("image");
  job.wait(80ms);
  if (next.empty()) return "{\"url\":\"s3://images/" + image + "\"}";
  dray::PushOptions options;
  options.key = next + ":" + image;
  options.lease = 1'500ms;
  options.backoff = "fixed:200";
  options.attempts = 8;
  const dray::Pushed pushed = job.client().push("images", next, job.args(), options);
  return "{\"next\":\"" + pushed.id + "\"}";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: demo_worker URL FOLDER\n");
    return 2;
  }
  const std::string folder = argv[2];
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);  // It is going to crash, and nobody will look into why.
  try {
    dray::WorkerOptions options;
    options.queues = {{"payments"}, {"jobs"}, {"images"}};
    options.concurrency = 4;
    options.grace = 5s;
    options.suspect_interval = 1s;
    options.suspect_patience = 4s;
    dray::Worker worker(dray::ClientOptions{.url = argv[1]}, options);
    worker.on("send_email", send_email);
    worker.on("generate_report", generate_report);
    worker.on("process_video", process_video);
    worker.on("process_payment", [&](dray::Context& job) { return process_payment(job, folder); });
    worker.on("download_image", [](dray::Context& job) { return next_step(job, "resize_image"); });
    worker.on("resize_image", [](dray::Context& job) { return next_step(job, "upload_to_s3"); });
    worker.on("upload_to_s3", [](dray::Context& job) { return next_step(job, ""); });
    worker.stop_on_signals();
    worker.run();
    return 0;
  } catch (const dray::Error& error) {
    std::fprintf(stderr, "demo_worker: %s\n", error.what());
    return 1;
  }
}
