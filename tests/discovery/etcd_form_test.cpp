// etcd's answers as they were seen (3.4.23), and what is no answer of its.
#include <doctest/doctest.h>
#include "discovery/etcd/form.hpp"
#include "support/print.hpp"

using namespace loggia;
using namespace loggia::discovery::etcd;

namespace {

const std::string header = R"("header":{"cluster_id":"8378818704536250933","member_id":"16323108516531500284","revision":"9","raft_term":"2"})";
constexpr std::string_view prefix = "/loggia/instances/";
// base64 of /loggia/instances/chat/127.0.0.1:7001
constexpr const char* chat_key = "L2xvZ2dpYS9pbnN0YW5jZXMvY2hhdC8xMjcuMC4wLjE6NzAwMQ==";

Instance chat() {
  Instance out;
  out.module = "chat";
  out.address = "127.0.0.1:7001";
  return out;
}

}  // namespace

TEST_CASE("an instance is a key, and a key that is none of ours is no instance") {
  CHECK(key_of(prefix, chat()) == "/loggia/instances/chat/127.0.0.1:7001");
  CHECK(instance_of(prefix, key_of(prefix, chat())) == chat());
  for (const char* key : {"", "/loggia/instances/", "/loggia/instances/chat", "/loggia/instances//127.0.0.1:1", "/loggia/instances/chat/127.0.0.1",
                          "/loggia/instances/chat/127.0.0.1:0", "/loggia/instances/chat/evil:1", "/other/chat/127.0.0.1:1"})
    CHECK_MESSAGE(!instance_of(prefix, key), key);
}

TEST_CASE("requests are what the gateway takes") {
  CHECK(grant(std::chrono::seconds(2)) == R"({"TTL":"2"})");
  CHECK(put(prefix, chat(), "8429790753983868170") ==
        std::string(R"({"key":")") + chat_key + R"(","value":"MTI3LjAuMC4xOjcwMDE=","lease":"8429790753983868170"})");
  CHECK(about_lease("7") == R"({"ID":"7"})");
  CHECK(list_all(prefix) == R"({"key":"L2xvZ2dpYS9pbnN0YW5jZXMv","range_end":"L2xvZ2dpYS9pbnN0YW5jZXMw"})");
  CHECK(watch_all(prefix, 10) ==
        R"({"create_request":{"key":"L2xvZ2dpYS9pbnN0YW5jZXMv","range_end":"L2xvZ2dpYS9pbnN0YW5jZXMw","start_revision":"10"}})");
}

TEST_CASE("a lease: granted, kept, gone") {
  const auto granted = lease_of("{" + header + R"(,"ID":"8429790753983868168","TTL":"2"})");
  CHECK(granted.value().id == "8429790753983868168");
  CHECK(granted->lifetime == 2);
  CHECK(lease_of(R"({"result":{)" + header + R"(,"ID":"12","TTL":"2"}})").value().lifetime == 2);
  CHECK(lease_of(R"({"result":{)" + header + R"(,"ID":"12"}})").value().lifetime == 0);
  for (const char* text : {"", "{}", "[]", "{\"ID\":5,\"TTL\":\"2\"}", "{\"ID\":\"x\\\"\"}", "<html>"}) CHECK_MESSAGE(!lease_of(text), text);
}

TEST_CASE("a list: keys and the revision, and nothing where there are none") {
  const auto listing = listing_of("{" + header + R"(,"kvs":[{"key":")" + chat_key +
                                  R"(","create_revision":"2","mod_revision":"2","version":"1","value":"eA=="},{"key":"!"},{},5],"count":"1"})");
  CHECK(listing.value().revision == 9);
  CHECK(listing->keys == std::set<std::string>{key_of(prefix, chat())});
  CHECK(listing_of("{" + header + "}").value().keys.empty());
  for (const char* text : {"", "{}", "[]", "{\"header\":5}", "{\"header\":{\"revision\":\"-4\"}}"}) CHECK_MESSAGE(!listing_of(text), text);
}

TEST_CASE("a watch's lines: begun, put, gone, compacted, given up") {
  const auto begun = change_of(R"({"result":{)" + header + R"(,"created":true}})");
  CHECK_FALSE(begun.value().ended);
  CHECK(begun->put.empty());
  const auto put = change_of(R"({"result":{)" + header + R"(,"events":[{"kv":{"key":")" + chat_key + R"(","value":"eA=="}}]}})");
  CHECK(put.value().put == std::vector<std::string>{key_of(prefix, chat())});
  CHECK(put->revision == 9);
  const auto gone = change_of(R"({"result":{)" + header + R"(,"events":[{"type":"DELETE","kv":{"key":")" + chat_key + R"(","mod_revision":"9"}}]}})");
  CHECK(gone.value().gone == std::vector<std::string>{key_of(prefix, chat())});
  CHECK(gone->put.empty());
  CHECK(change_of(R"({"result":{)" + header + R"(,"canceled":true,"compact_revision":"10"}})").value().ended);
  CHECK(change_of(R"({"error":{"grpc_code":14,"message":"no leader"}})").value().ended);
  CHECK_FALSE(change_of("<html>"));
}

TEST_CASE("peers by module; what is no instance is left out") {
  const auto peers = peers_of(prefix, {key_of(prefix, chat()), "/loggia/instances/user/[::1]:7002", "/loggia/instances/user/x", "/other"});
  CHECK(peers == Peers{{"chat", {"127.0.0.1:7001"}}, {"user", {"[::1]:7002"}}});
}
