#include "server/http_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/live_server.h"

namespace server {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpSessionTest : public testing::Test {
 protected:
  // All that comes back for the bytes, until the server ends the connection.
  std::string ask(const std::string& bytes) {
    TestConnection client(server_.http_address());
    client.send(bytes);
    return client.read_to_end();
  }
  std::string get(const std::string& path) {
    return ask("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  }

  LiveServer server_;
};

TEST_F(HttpSessionTest, SaysThatItLivesAndIsReady) {
  const std::string alive = get("/livez");
  EXPECT_THAT(alive, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(alive, EndsWith("\r\n\r\nok\n"));
  EXPECT_THAT(alive, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(alive, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(get("/readyz?verbose=1"), EndsWith("\r\n\r\nready\n"));
}

TEST_F(HttpSessionTest, RefusesWhatIsNotOffered) {
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(get("/livez/"), StartsWith("HTTP/1.1 404 "));
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    const std::string answer =
        ask(method + " /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
  }
}

TEST_F(HttpSessionTest, TellsRespWhereItIsSpoken) {
  const std::string answer = ask("*1\r\n$4\r\nPING\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer,
              EndsWith("this port speaks HTTP; RESP is spoken at " + server_.address() + "\n"));
  EXPECT_THAT(get("/metrics"),
              HasSubstr("dray_connections_closed_total{reason=\"resp_on_http\"} 1\n"));
}

TEST_F(HttpSessionTest, UrlsAndHeadersAreBounded) {
  EXPECT_THAT(get("/" + std::string(8'191, 'a')), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/" + std::string(8'192, 'a')), StartsWith("HTTP/1.1 414 "));
  const auto with_headers = [&](int count) {
    std::string request = "GET /livez HTTP/1.1\r\nConnection: close\r\n";
    for (int i = 1; i < count; ++i) request += "A: b\r\n";
    return ask(request + "\r\n");
  };
  EXPECT_THAT(with_headers(100), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(with_headers(101), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpSessionTest, HeadAnswersWithoutABody) {
  const std::string answer = ask("HEAD /livez HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.0 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpSessionTest, KeepsTheConnectionAndTheOrder) {
  const std::string answers =
      ask("GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"
          "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
          "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const size_t alive = answers.find("\r\n\r\nok\n");
  const size_t ready = answers.find("\r\n\r\nready\n");
  const size_t metrics = answers.find("dray_build_info");
  EXPECT_LT(alive, ready);
  EXPECT_LT(ready, metrics);
  EXPECT_LT(metrics, answers.find(" 404 "));
}

TEST_F(HttpSessionTest, AnswersAllOfManyRequestsThatComeAtOnce) {
  constexpr int kRequests = 400;
  std::string requests;
  for (int i = 1; i < kRequests; ++i) requests += "GET /livez HTTP/1.1\r\n\r\n";
  const std::string answers = ask(requests + "GET /livez HTTP/1.0\r\n\r\n");
  int alive = 0;
  for (size_t at = 0; (at = answers.find("\r\n\r\nok\n", at)) != std::string::npos; ++at) ++alive;
  EXPECT_EQ(alive, kRequests);
}

TEST_F(HttpSessionTest, TakesARequestByteByByte) {
  TestConnection client(server_.http_address());
  const std::string request =
      "POST /livez HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n";
  for (const char byte : request) client.send(std::string(1, byte));
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 405 "));
}

// A body, and each part of it, may come when it likes; others are served meanwhile.
TEST_F(HttpSessionTest, WaitsForTheRestOfABody) {
  for (const char* const head :
       {"Content-Length: 5\r\n\r\n", "Content-Length: 5\r\n\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n3\r\n", "Transfer-Encoding: chunked\r\n\r\n3\r\na",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc"}) {
    const std::string sent = head;
    const std::string whole = sent.starts_with("C") ? "Content-Length: 5\r\n\r\nabcde"
                                                    : "Transfer-Encoding: chunked\r\n\r\n"
                                                      "3\r\nabc\r\n0\r\n\r\n";
    TestConnection client(server_.http_address());
    client.send("POST /livez HTTP/1.1\r\nConnection: close\r\n" + sent);
    EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
    client.send(whole.substr(sent.size()));
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 405 ")) << sent;
  }
}

TEST_F(HttpSessionTest, WhatDoesNotEndIsRefused) {
  const std::string chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& more :
       {"5;" + std::string(70'000, 'a'), "0\r\nA: " + std::string(70'000, 'a') + "\r\n\r\n"}) {
    EXPECT_THAT(ask(chunked + more), StartsWith("HTTP/1.1 431 "));
  }
  // Pieces that end within a name are taken one by one.
  TestConnection client(server_.http_address());
  client.send("GET / HTTP/1.1\r\nA");
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
    client.send(": " + std::string(1'000, 'a') + "\r\nA");
  }
  client.send(": a\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
}

// More comes behind what was refused: an end at once would be a reset, which can lose the answer.
TEST_F(HttpSessionTest, RefusalArrivesThoughMoreIsComing) {
  const std::string answer =
      ask("POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x'));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpSessionTest, RefusesWhatIsNoHttp) {
  EXPECT_THAT(ask("NONSENSE\r\n\r\n"), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(ask("GET /livez HTTP/1.1\r\nbroken header\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("*1\r\n$4\r\nPING\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpSessionTest, BothLengthAndChunksAreRefused) {
  const std::string answer =
      ask("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
          "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, Not(HasSubstr(" 200 ")));
}

TEST_F(HttpSessionTest, MetricsCountWhatHappened) {
  TestConnection client(server_.address());
  client.call({"JOB.PUSH", "mail", "T", "{}"});
  const std::string answer = get("/metrics");
  EXPECT_THAT(answer, HasSubstr("\ndray_queue_jobs{queue=\"mail\",state=\"ready\"} 1\n"));
  EXPECT_THAT(answer, HasSubstr("\ndray_connections 1\n"));
}

TEST_F(HttpSessionTest, AClientThatLeavesBeforeItsAnswerDoesNoHarm) {
  for (int i = 0; i < 20; ++i) {
    TestConnection client(server_.http_address());
    client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace server
