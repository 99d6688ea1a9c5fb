#include "store/dropping_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <string>

#include "base/assert.h"
#include "store/file.h"
#include "store/temp_directory.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using OnCut = DroppingCalls::OnCut;

constexpr size_t kSector = 512;

std::string on_disk(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> names_on_disk(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(".unsynced-")) names.insert(name);
  }
  return names;
}

class Machine {
 public:
  explicit Machine(const FaultPlan& plan = {}) : calls(kernel_calls(), plan, OnCut::kStop) {}

  void must(base::Status status) { ASSERT(status.has_value(), "{}", status.error().message); }
  std::unique_ptr<File> create(const std::string& path) { return std::move(*files.create(path)); }
  void write(File& file, uint64_t offset, const std::string& text) {
    must(file.write_at(offset, std::as_bytes(std::span(text))));
  }
  std::string read(File& file) {
    std::string text(file.size().value(), '?');
    text.resize(file.read_at(0, std::as_writable_bytes(std::span(text))).value());
    return text;
  }

  DroppingCalls calls;
  FileSystem files{calls};
};

FaultPlan seeded(uint64_t seed) {
  FaultPlan plan;
  plan.seed = seed;
  return plan;
}

TEST(DroppingFile, ShowsNothingOnDiskBeforeItIsSynced) {
  const TempDirectory temp;
  const std::string path = temp.path() + "/file";
  Machine machine;
  const auto file = machine.create(path);
  machine.write(*file, 0, std::string(1000, 'a'));
  EXPECT_EQ(machine.read(*file), std::string(1000, 'a')) << "its own process sees it";
  machine.must(file->sync_data());
  EXPECT_TRUE(names_on_disk(temp.path()).empty()) << "the name is not synced";
  machine.must(machine.files.sync_directory(temp.path()));
  EXPECT_EQ(on_disk(path), std::string(1000, 'a'));

  machine.write(*file, 100, std::string(1000, 'b'));
  EXPECT_EQ(machine.read(*file), std::string(100, 'a') + std::string(1000, 'b'));
  EXPECT_EQ(on_disk(path), std::string(1000, 'a'));
  machine.must(file->sync_data());
  EXPECT_EQ(on_disk(path), std::string(100, 'a') + std::string(1000, 'b'));
}

TEST(DroppingFile, ChangesNoNameOnDiskBeforeTheDirectoryIsSynced) {
  const TempDirectory temp;
  const auto path = [&temp](const char* name) { return temp.path() + "/" + name; };
  Machine machine;
  for (const char* name : {"kept", "renamed", "removed"}) machine.create(path(name));
  machine.must(machine.files.sync_directory(temp.path()));
  machine.must(machine.files.rename(path("renamed"), path("new")));
  machine.must(machine.files.remove(path("removed")));
  EXPECT_EQ(machine.files.list(temp.path()).value(), (std::vector<std::string>{"kept", "new"}));
  EXPECT_EQ(names_on_disk(temp.path()), (std::set<std::string>{"kept", "renamed", "removed"}));
  machine.must(machine.files.sync_directory(temp.path()));
  EXPECT_EQ(names_on_disk(temp.path()), (std::set<std::string>{"kept", "new"}));
}

TEST(DroppingFile, ACutKeepsWhatWasSyncedAndAnySectorsOfTheRest) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const TempDirectory temp;
    const std::string path = temp.path() + "/file";
    Machine machine(seeded(seed));
    const auto file = machine.create(path);
    machine.write(*file, 0, std::string(3 * kSector, 'a'));
    machine.must(file->sync_data());
    machine.must(machine.files.sync_directory(temp.path()));
    machine.write(*file, kSector, std::string(2 * kSector, 'b'));
    machine.calls.cut();
    const std::string left = on_disk(path);
    ASSERT_EQ(left.size(), 3 * kSector);
    std::string outcome;
    for (size_t sector = 0; sector < 3; ++sector) {
      const std::string text = left.substr(sector * kSector, kSector);
      EXPECT_EQ(text, std::string(kSector, text[0])) << "a sector is whole";
      outcome += text[0];
    }
    EXPECT_EQ(outcome[0], 'a');
    outcomes.insert(outcome);
    EXPECT_FALSE(file->sync_data().has_value()) << "nothing works after a cut";
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"aaa", "aab", "aba", "abb"}));
}

TEST(DroppingFile, ACutTakesBackAnyNamesThatWereNotSynced) {
  std::set<std::set<std::string>> outcomes;
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    const TempDirectory temp;
    const auto path = [&temp](const char* name) { return temp.path() + "/" + name; };
    Machine machine(seeded(seed));
    machine.create(path("a"));
    machine.must(machine.files.sync_directory(temp.path()));
    machine.must(machine.files.rename(path("a"), path("b")));
    machine.create(path("c"));
    machine.calls.cut();
    outcomes.insert(names_on_disk(temp.path()));
  }
  EXPECT_EQ(outcomes, (std::set<std::set<std::string>>{{"a"}, {"b"}, {"a", "c"}, {"b", "c"}}));
}

TEST(DroppingFile, ACutKeepsTheOrderOfChangesToOneName) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const TempDirectory temp;
    const auto path = [&temp](const char* name) { return temp.path() + "/" + name; };
    Machine machine(seeded(seed));
    machine.create(path("x.new"));
    machine.must(machine.files.rename(path("x.new"), path("x")));
    machine.must(machine.files.rename(path("x"), path("y")));
    machine.calls.cut();
    EXPECT_LE(names_on_disk(temp.path()).size(), 1U) << "one file has one name";
  }
}

// As NAMESPACE.RESET does it: a directory is set aside, a new one takes its name, the old one goes.
struct Replacement {
  explicit Replacement(Machine& machine, const std::string& folder)
      : machine(machine), home(folder + "/home"), aside(folder + "/aside") {
    machine.calls.make_directory(home);
    fill("old");
    machine.must(machine.files.sync_directory(folder));
  }
  // A durable file of this name in `home`.
  void fill(const std::string& name) {
    const auto file = machine.create(home + "/" + name);
    machine.write(*file, 0, name);
    machine.must(file->sync_data());
    machine.must(machine.files.sync_directory(home));
  }
  void begin_anew() {
    machine.calls.make_directory(home);
    fill("new");
  }
  void remove_aside() {
    machine.must(machine.files.remove(aside + "/old"));
    machine.must(machine.files.remove(aside));
  }

  Machine& machine;
  const std::string home, aside;
};

TEST(DroppingFile, ADirectoryIsRenamedWithWhatIsInIt) {
  const TempDirectory temp;
  Machine machine;
  Replacement replacement(machine, temp.path());
  machine.create(replacement.home + "/unsynced");
  machine.must(machine.files.rename(replacement.home, replacement.aside));
  EXPECT_EQ(machine.files.list(temp.path()).value(), (std::vector<std::string>{"aside"}));
  EXPECT_FALSE(machine.files.open_to_read(replacement.home + "/old").has_value());
  const auto file = machine.files.open_to_read(replacement.aside + "/old");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(machine.read(**file), "old");
  machine.must(machine.files.sync_directory(replacement.aside));
  EXPECT_EQ(names_on_disk(replacement.aside), (std::set<std::string>{"old", "unsynced"}));
}

TEST(DroppingFile, ADirectoryWithSomethingInItIsNotRemoved) {
  const TempDirectory temp;
  Machine machine;
  Replacement replacement(machine, temp.path());
  EXPECT_FALSE(machine.files.remove(replacement.home).has_value());
  machine.must(machine.files.remove(replacement.home + "/old"));
  machine.must(machine.files.remove(replacement.home));
  EXPECT_FALSE(machine.files.list(replacement.home).has_value());
  EXPECT_EQ(names_on_disk(temp.path()), (std::set<std::string>{"home"}));
  replacement.begin_anew();
  EXPECT_EQ(names_on_disk(replacement.home), (std::set<std::string>{"new"}));
}

TEST(DroppingFile, ACutTakesBackARenamedDirectoryAndAllThatFollowed) {
  std::set<std::set<std::string>> outcomes;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const TempDirectory temp;
    Machine machine(seeded(seed));
    Replacement replacement(machine, temp.path());
    machine.must(machine.files.rename(replacement.home, replacement.aside));
    replacement.begin_anew();
    replacement.remove_aside();
    machine.calls.cut();
    std::set<std::string> found;
    for (const std::string& name : names_on_disk(temp.path())) {
      for (const std::string& file : names_on_disk(temp.path() + "/" + name)) {
        found.insert(name + "/" + file);
      }
    }
    outcomes.insert(found);
  }
  // The old one is back, whole or emptied; or it is aside still, or gone, beside the new one or
  // none.
  EXPECT_EQ(outcomes,
            (std::set<std::set<std::string>>{
                {}, {"home/old"}, {"aside/old"}, {"home/new"}, {"aside/old", "home/new"}}));
}

TEST(DroppingFile, ARenamedDirectoryThatWasSyncedStaysSo) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const TempDirectory temp;
    Machine machine(seeded(seed));
    Replacement replacement(machine, temp.path());
    machine.must(machine.files.rename(replacement.home, replacement.aside));
    machine.must(machine.files.sync_directory(temp.path()));
    replacement.begin_anew();
    machine.must(machine.files.sync_directory(temp.path()));
    replacement.remove_aside();
    machine.calls.cut();
    EXPECT_EQ(names_on_disk(replacement.home), (std::set<std::string>{"new"}));
  }
}

TEST(DroppingFile, WhatAFailedSyncLostIsReadButNeverWritten) {
  int lost = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const TempDirectory temp;
    const std::string path = temp.path() + "/file";
    FaultPlan plan = seeded(seed);
    plan.fail_at = 5;
    Machine machine(plan);
    const auto file = machine.create(path);
    machine.must(file->allocate(4 * kSector));
    machine.must(machine.files.sync_directory(temp.path()));
    machine.write(*file, 0, std::string(4 * kSector, 'a'));
    ASSERT_FALSE(file->sync_data().has_value());
    machine.must(file->sync_data());  // The second one lies.
    EXPECT_EQ(machine.read(*file), std::string(4 * kSector, 'a'));
    machine.calls.cut();
    lost += on_disk(path) == std::string(4 * kSector, 'a') ? 0 : 1;
  }
  EXPECT_GE(lost, 15);
}

TEST(DroppingFile, TheSameSeedLeavesTheSame) {
  const auto left_of = [](uint64_t seed) {
    const TempDirectory temp;
    Machine machine(seeded(seed));
    std::vector<std::unique_ptr<File>> open;
    for (int i = 0; i < 5; ++i) {
      open.push_back(machine.create(temp.path() + "/" + std::to_string(i)));
      machine.write(*open.back(), 0, std::string(20 * kSector, static_cast<char>('a' + i)));
      if (i == 2) machine.must(machine.files.sync_directory(temp.path()));
    }
    machine.calls.cut();
    std::string all;
    for (const std::string& name : names_on_disk(temp.path())) {
      all += name + on_disk(temp.path() + "/" + name);
    }
    return all;
  };
  for (uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(left_of(seed), left_of(seed));
  EXPECT_NE(left_of(1), left_of(2));
}

TEST(DroppingFile, AVolumeOfAGivenSizeRunsFull) {
  const TempDirectory temp;
  FaultPlan plan;
  plan.disk_bytes = 10'000;
  Machine machine(plan);
  const auto file = machine.create(temp.path() + "/file");
  machine.must(file->allocate(6'000));
  EXPECT_EQ(machine.files.volume(temp.path())->total_bytes, 10'000U);
  EXPECT_EQ(machine.files.volume(temp.path())->free_bytes, 4'000U);
  EXPECT_EQ(file->allocate(11'000).error().code, base::ErrorCode::kDiskFull);
  machine.write(*file, 5'000, std::string(1'000, 'x'));
  machine.must(machine.files.remove(temp.path() + "/file"));
  EXPECT_EQ(machine.files.volume(temp.path())->free_bytes, 10'000U);
}

// Runs `body` in a process of its own and returns how it ended, as waitpid has it.
int run_apart(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(DroppingFile, TheCrashBuildExitsAtTheCut) {
  const TempDirectory temp;
  const std::string path = temp.path() + "/file";
  const int status = run_apart([&path, &temp] {
    const auto calls = std::move(*make_dropping_calls("cut=4,seed=3"));
    FileSystem files(*calls);
    const auto file = std::move(*files.create(path));
    base::ignore(files.sync_directory(temp.path()), "what matters is how the process ends");
    base::ignore(file->write_at(0, std::vector<std::byte>(100)), "see above");
    base::ignore(file->sync_data(), "see above");
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 137);
  EXPECT_TRUE(fs::exists(path));
  EXPECT_FALSE(make_dropping_calls("cut=often").has_value());
}

TEST(DroppingFile, KillLeavesNothingUnsynced) {
  const TempDirectory temp;
  const std::string path = temp.path() + "/file";
  const int status = run_apart([&path, &temp] {
    const auto calls = std::move(*make_dropping_calls(""));
    FileSystem files(*calls);
    const auto file = std::move(*files.create(path));
    base::ignore(file->write_at(0, std::vector<std::byte>(10, std::byte{'a'})), "checked outside");
    base::ignore(file->sync_data(), "checked outside");
    base::ignore(files.sync_directory(temp.path()), "checked outside");
    base::ignore(file->write_at(0, std::vector<std::byte>(10, std::byte{'b'})), "checked outside");
    base::ignore(files.rename(path, path + "2"), "checked outside");
    ::kill(::getpid(), SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(on_disk(path), std::string(10, 'a'));
  EXPECT_EQ(names_on_disk(temp.path()), std::set<std::string>{"file"});
}

}  // namespace
}  // namespace store
