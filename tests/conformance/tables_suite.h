// What all tables have to do, as tests that know no implementation. An implementation joins by a
// line of INSTANTIATE_TEST_SUITE_P(…, TablesSuite, …) with a way to make its world.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/random.h"
#include "store/tables.h"

namespace conformance {

// What outlives tables: a directory, a disk in memory. At most one object of a world is open.
class TablesWorld {
 public:
  TablesWorld() = default;
  TablesWorld(const TablesWorld&) = delete;
  TablesWorld& operator=(const TablesWorld&) = delete;
  virtual ~TablesWorld() = default;

  virtual std::unique_ptr<store::Tables> make_tables() = 0;
  // Spoils what is stored of the job, behind the tables' back.
  virtual void damage(core::JobId id) = 0;
};

struct TablesKind {
  std::string name;
  std::function<std::unique_ptr<TablesWorld>()> make_world;
};

inline std::ostream& operator<<(std::ostream& out, const TablesKind& kind) {
  return out << kind.name;
}

class TablesSuite : public testing::TestWithParam<TablesKind> {
 protected:
  struct Row {
    store::JobHeader header;
    std::string record;
    std::optional<std::string> args;
    bool operator==(const Row&) const = default;
  };

  // One call of apply, owning what it needs.
  struct Batch {
    std::map<core::JobId, Row> rows;
    std::map<core::JobId, bool> erased;  // Used as a set.
    std::map<std::string, std::optional<std::string>> side;
  };

  TablesSuite();

  void open();
  void close();
  // Applies to the tables and to what is expected of them.
  void apply(const Batch& batch);
  base::Status try_apply(const Batch& batch);

  // Compares all that a reader shows with what is expected.
  void expect_all();
  void expect_rows();
  void expect_lanes();
  void expect_rest();
  void expect_side();
  std::vector<std::string> damages();

  static Row ready_row(uint64_t id, uint64_t ready_seq);
  Row random_row(uint64_t id);
  Batch random_batch();

  std::unique_ptr<TablesWorld> world_;
  std::unique_ptr<store::Tables> tables_;
  std::unique_ptr<store::TablesReader> reader_;
  store::TablesSummary summary_;
  base::SeededRandom random_{11};

  // What is expected.
  std::map<core::JobId, Row> rows_;
  std::map<std::string, std::string> side_;
  uint64_t applied_seq_ = 0;
  uint64_t next_id_ = 1;
  uint64_t next_seq_ = 1;
};

}  // namespace conformance
