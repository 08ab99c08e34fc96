#pragma once
// A block as a node showed it. For tests only.

#include <string>

namespace effects {

// That anvil 1.x made, with transactions of the types 2, 2 (makes a contract), 0, 1 and 4.
inline const std::string header_members =
    R"("hash":"0xd85d7a839f3469c401e34e37a132cf19e89c6f598087e9294195abd4e561cfec",
"parentHash":"0xe9960f0f5a5e14649bceac19c1f7f330e11b8dea8932d76b923e6b3ebebfff8b",
"sha3Uncles":"0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347","miner":"0x0000000000000000000000000000000000000000",
"stateRoot":"0xd566162308ae9763901ef75dbbf99fdc0017e01644042eabbc059ee60ab52376",
"transactionsRoot":"0x5bf8376cbef239f2d6bef81fb746032341169ef49d9706b3a38d7a027594965d",
"receiptsRoot":"0x5d6c5aab290c97865384b398b2012894d3ade9df40faf8c3223daf1668c6a691","difficulty":"0x0","number":"0x1",
"gasLimit":"0x1c9c380","gasUsed":"0x28d89","timestamp":"0x6ab13b84","extraData":"0x",
"mixHash":"0x176e7e405d2e4f41f3e7bb9c0bb77b3143782caa4ef5536bf7bf26d2f681176e","nonce":"0x0000000000000000",
"baseFeePerGas":"0x3b9aca00","withdrawalsRoot":"0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
"blobGasUsed":"0x0","excessBlobGas":"0x0","parentBeaconBlockRoot":"0x0000000000000000000000000000000000000000000000000000000000000000",
"requestsHash":"0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":"0x57b",)" "\"logsBloom\":\"0x" + std::string(512, '0') + "\"";
inline const std::string mined_transactions[] = {
    R"({"type":"0x2","chainId":"0x7a69","nonce":"0x0","gas":"0x5366","maxFeePerGas":"0x77359400","maxPriorityFeePerGas":"0x3b9aca00",
"to":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8","value":"0x1","accessList":[],
"input":"0x0000000000000000000000000000000000000000000000000000000000000002",
"r":"0x4656be2d2c83bc1f5b2749a6441638afcd90a9a15bfb60d89ce950da83abb25",
"s":"0x6d0524ca9179eca1439fffd98fc593772a59fb1748fadac3cc3327e9aa548ff0","yParity":"0x1","v":"0x1",
"hash":"0x7a634118a560ba180335679c9a08572a8b0497424c4643cc0cb392ee2f18fb8a","gasPrice":"0x77359400"})",
    R"({"type":"0x2","chainId":"0x7a69","nonce":"0x1","gas":"0x186a0","maxFeePerGas":"0x77359400","maxPriorityFeePerGas":"0x3b9aca00",
"to":null,"value":"0x0","accessList":[],"input":"0x6000","r":"0x469857a3199d5164bb2b63285a153ad3de14d125d29b9cc8bfeeed20d4be076",
"s":"0x6b6611c7dd0d17343bd919136e4909b3be7849e5f6e89ff96c0c45d3ff2dbf57","yParity":"0x1","v":"0x1",
"hash":"0xc3722072082e1f34c12b25476f002943663a7a52672204f61403ee80f62d4e73","gasPrice":"0x77359400"})",
    R"({"type":"0x0","chainId":"0x7a69","nonce":"0x2","gasPrice":"0x77359400","gas":"0x5366","to":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
"value":"0x0","input":"0x0000000000000000000000000000000000000000000000000000000000000009",
"r":"0x7ba47a23f3e7ccd63eee3d1b844102e94fbe403370fdc3ccebe0b3fb0a28d67c",
"s":"0x329d45e8b7054f2ec53f6616b172e9947e6f9009a652b4bf247a7b086d4e9491","v":"0xf4f5",
"hash":"0x57eb35db843572891e51516ecb2abd317db6da7efd62749ec9038a5873d26df8"})",
    R"({"type":"0x1","chainId":"0x7a69","nonce":"0x3","gasPrice":"0x77359400","gas":"0x6360","to":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
"value":"0x0",
"accessList":[{"address":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8","storageKeys":["0x0000000000000000000000000000000000000000000000000000000000000009"]}],
"input":"0x000000000000000000000000000000000000000000000000000000000000000a",
"r":"0x7725cba70bd7996f9f7fb475a977bd5cd08545c480368abac7599e230d7ecb0f",
"s":"0x6f8962c0d105bd6305369fadeb75df77f58c9dbdb040b5c91228db2934700e6","yParity":"0x1","v":"0x1",
"hash":"0x6654351d6915a931cb542d9c34ca37572e9773cd773dbaa96fc95aecb5c1c485"})",
    R"({"type":"0x4","chainId":"0x7a69","nonce":"0x4","gas":"0x30d40","maxFeePerGas":"0x77359400","maxPriorityFeePerGas":"0x3b9aca00",
"to":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8","value":"0x0","accessList":[],
"authorizationList":[{"chainId":"0x7a69","address":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8","nonce":"0x0","yParity":"0x1","r":"0x1000000000000000000000000000000000000000000000000000000000000005","s":"0x7"}],
"input":"0x000000000000000000000000000000000000000000000000000000000000000b",
"r":"0x335f872ae8c20325479b3b1e357958ed0977247aac8065ff9068970675bd9f82",
"s":"0x4b17b23575796c9c745be6b469413cbef2f7434e6e67dc4cf8e2a4d0279ef753","yParity":"0x0","v":"0x0",
"hash":"0x01d777a1727ad3a3af9cc2aecd85ce0f14cee7dc095828283fe9a1176833a4de","gasPrice":"0x77359400"})",
};

}  // namespace effects
