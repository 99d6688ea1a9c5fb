#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "store/memory/memory_tables.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_tables.h"
#include "store/temp_directory.h"
#include "tests/conformance/tables_suite.h"

namespace conformance {
namespace {

class MemoryRowsWorld final : public TablesWorld {
 public:
  std::unique_ptr<store::Tables> make_tables() override {
    return std::make_unique<store::MemoryTables>(disk_);
  }
  void damage(core::JobId id) override { disk_.damage(id); }

 private:
  store::MemoryRows disk_;
};

class SqliteWorld final : public TablesWorld {
 public:
  std::unique_ptr<store::Tables> make_tables() override {
    return std::make_unique<store::SqliteTables>(
        files_, store::SqliteTablesOptions{.directory = directory_.path()});
  }
  void damage(core::JobId id) override {
    store::Connection connection;
    ASSERT_TRUE(connection.open(directory_.path() + "/tables.db", ""));
    const std::string sql =
        "UPDATE job SET args = CAST('X' || substr(args, 2) AS BLOB) WHERE id = " +
        std::to_string(id.value);
    const auto done = connection.run(sql.c_str());
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }

 private:
  store::TempDirectory directory_;
  store::FileSystem files_{store::kernel_calls()};
};

template <class World>
TablesKind tables_kind(std::string name) {
  return {std::move(name), [] { return std::make_unique<World>(); }};
}

INSTANTIATE_TEST_SUITE_P(Tables, TablesSuite,
                         testing::Values(tables_kind<MemoryRowsWorld>("Memory"),
                                         tables_kind<SqliteWorld>("Sqlite")),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace conformance
