#include "repair/salvage.h"

#include <fmt/format.h>

#include "base/random.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "core/state.h"
#include "repair/copy_journal.h"
#include "repair/frame_picker.h"
#include "repair/images.h"
#include "repair/mender.h"
#include "repair/tables_picker.h"
#include "store/effect_codec.h"
#include "store/file_journal/file_journal.h"

namespace repair {
namespace {

// Writes all that the state holds as a new journal, as a checkpoint does.
base::Status write_journal(store::FileSystem& files, const std::string& to,
                           const core::State& state, base::Now now) {
  base::SystemRandom salts;
  store::FileJournalOptions options;
  options.directory = to;
  options.reserve_bytes = 0;
  options.spare_count = 0;  // Its server will make them.
  options.allow_volatile = true;
  store::FileJournal journal(files, salts, options);
  TRY(journal.open([](uint64_t, std::span<const std::byte>) { return base::Status(); }));
  Images images;
  images.begin(state, 1);
  store::EffectEncoder encoder;
  uint64_t seq = 0;
  for (bool done = false; !done;) {
    encoder.begin(now);
    done = images.slice(state, encoder).has_value();
    const std::string bytes = encoder.take();
    if (bytes.empty()) continue;
    TRY(journal.append(++seq, std::as_bytes(std::span(bytes.data(), bytes.size()))));
  }
  return journal.close();
}

std::string run_text(const std::pair<uint64_t, uint64_t>& run) {
  if (run.first == 0) return fmt::format("up to {}", run.second);
  if (run.first == run.second) return fmt::format("{}", run.first);
  return fmt::format("{} to {}", run.first, run.second);
}

}  // namespace

base::Result<Account> salvage(store::FileSystem& files, const std::string& from,
                              const std::string& to) {
  TRY(expect_empty(files, to));
  Account account;
  core::State state;
  state.begin_recovery(false);
  base::SystemRandom random;
  Mender mender(state, random);
  base::Now last;
  const auto take = [&](core::Effect&& effect, base::Now now) {
    last = now;
    return mender.take(std::move(effect), now);
  };
  const auto frame = [&](std::span<const std::byte> payload) -> base::Status {
    const std::string_view bytes(reinterpret_cast<const char*>(payload.data()), payload.size());
    base::Status decoded = store::decode_effects(bytes, take);
    if (decoded.has_value()) return {};
    // Its checksum is right, so this is a bug of whoever wrote it: what follows is still of use.
    account.unread.push_back(
        fmt::format("frame {}: {}", account.last_seq, decoded.error().message));
    account.frames_lost.emplace_back(account.last_seq, account.last_seq);
    mender.gap();
    return {};
  };
  const store::DataDirectory source(files, from);
  TablesPicker tables(files, from, account);
  TRY(tables.pick([&](core::Effect&& effect, base::Now now) {
    last = now;
    return state.enact(std::move(effect), now);
  }));
  // What was lost there later effects may need, as those of frames that are missing.
  if (!account.is_whole()) mender.gap();
  FramePicker picker(source, account, tables.applied_seq());
  TRY(picker.pick({.gap = [&] { mender.gap(); }, .frame = frame}));
  TRY(mender.finish());
  state.expire_memory(last.engine);
  TRY(write_journal(files, to, state, last));
  account.effects_left_out = mender.effects_left_out();
  account.jobs_lost = mender.jobs_lost();
  account.steps_supplied = mender.steps_supplied();
  account.jobs = state.jobs().size();
  return account;
}

std::string text_of(const Account& account) {
  std::string text;
  for (const std::string& place : account.unread) {
    text += fmt::format("cannot be read: {}\n", cli::printable(place));
  }
  text += fmt::format("{} rows of the tables read, and {} frames behind them, up to {}\n",
                      account.rows_read, account.frames_read, account.last_seq);
  if (account.tables_lost) text += "LOST the tables: all that is no longer in the journal\n";
  if (account.rows_lost > 0) text += fmt::format("LOST {} rows\n", account.rows_lost);
  for (const auto& run : account.frames_lost)
    text += fmt::format("LOST frames {}\n", run_text(run));
  if (account.bytes_unread > 0) text += fmt::format("LOST {} bytes\n", account.bytes_unread);
  if (account.jobs_lost > 0) {
    text += fmt::format("LOST {} jobs at least: {} effects speak of them, and were left out\n",
                        account.jobs_lost, account.effects_left_out);
  }
  if (account.steps_supplied > 0) {
    text += fmt::format("{} steps that later ones need were supplied\n", account.steps_supplied);
  }
  text += fmt::format("{} jobs saved\n", account.jobs);
  if (account.is_whole()) return text + "nothing was left out\n";
  return text +
         "what a lost frame said is not known: a job that was pushed in one is gone, and one that "
         "was finished in one may run again\n";
}

std::string json_of(const Account& account) {
  std::string json = "{\"frames_lost\":[";
  for (const auto& run : account.frames_lost) {
    if (json.back() != '[') json += ',';
    json += fmt::format("[{},{}]", run.first, run.second);
  }
  json += "],\"unread\":[";
  for (const std::string& place : account.unread) {
    if (json.back() != '[') json += ',';
    cli::append_json_text(place, json);
  }
  json +=
      fmt::format("],\"rows_read\":{},\"rows_lost\":{},\"records_lost\":{},\"tables_lost\":{}",
                  account.rows_read, account.rows_lost, account.records_lost, account.tables_lost);
  return json +
         fmt::format(
             ",\"bytes_unread\":{},\"frames_read\":{},\"last_seq\":{},"
             "\"effects_left_out\":{},\"jobs_lost\":{},\"steps_supplied\":{},\"jobs\":{}}}\n",
             account.bytes_unread, account.frames_read, account.last_seq, account.effects_left_out,
             account.jobs_lost, account.steps_supplied, account.jobs);
}

}  // namespace repair
