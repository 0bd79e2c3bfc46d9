// What a program with the AWS SDK for JavaScript v3 does, from the first table to the last.
//
//     node forum.cjs MODULES ENDPOINT
//
// MODULES is the folder with node_modules. Prints "ok" at the end.

const assert = require("node:assert/strict");
const { createRequire } = require("node:module");
const [modules, endpoint] = process.argv.slice(2);
const load = createRequire(`${modules}/forum.cjs`);
const sdk = load("@aws-sdk/client-dynamodb");
const lib = load("@aws-sdk/lib-dynamodb");

const TableName = "Thread";

async function main() {
  const plain = new sdk.DynamoDBClient({
    endpoint,
    region: "eu-west-1",
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
    maxAttempts: 1,
  });
  const client = lib.DynamoDBDocumentClient.from(plain);
  const send = (name, input) => client.send(new (lib[`${name}Command`] ?? sdk[`${name}Command`])({ TableName, ...input }));

  await send("CreateTable", {
    AttributeDefinitions: ["forum", "subject", "author"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    KeySchema: [
      { AttributeName: "forum", KeyType: "HASH" },
      { AttributeName: "subject", KeyType: "RANGE" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "by_author",
        KeySchema: [{ AttributeName: "author", KeyType: "HASH" }],
        Projection: { ProjectionType: "ALL" },
      },
    ],
    BillingMode: "PAY_PER_REQUEST",
  });
  await sdk.waitUntilTableExists({ client: plain, maxWaitTime: 60 }, { TableName });

  const first = { forum: "é", subject: "first", author: "me", tags: new Set(["a", "b"]), data: new Uint8Array([0, 255]), n: 1.5 };
  await send("Put", { Item: first });
  assert.deepEqual((await send("Get", { Key: { forum: "é", subject: "first" } })).Item, first);
  await assert.rejects(
    send("Put", { Item: first, ConditionExpression: "attribute_not_exists(forum)" }),
    (error) => error instanceof sdk.ConditionalCheckFailedException,
  );

  const Put = (number) => ({ PutRequest: { Item: { forum: "é", subject: `t${number}`, author: "you", text: "x".repeat(900) } } });
  await client.send(new lib.BatchWriteCommand({ RequestItems: { [TableName]: [...Array(25).keys()].map(Put) } }));
  const subjects = [];
  const query = {
    TableName,
    KeyConditionExpression: "forum = :f AND begins_with(subject, :t)",
    ExpressionAttributeValues: { ":f": "é", ":t": "t" },
  };
  for await (const page of lib.paginateQuery({ client, pageSize: 10 }, query)) {
    subjects.push(...page.Items.map((item) => item.subject));
  }
  assert.equal(subjects.length, 25);
  assert.deepEqual(subjects, [...subjects].sort());
  const mine = await send("Query", {
    IndexName: "by_author",
    KeyConditionExpression: "author = :a",
    ExpressionAttributeValues: { ":a": "me" },
  });
  assert.deepEqual([mine.Count, mine.Items[0]], [1, first]);

  const updated = await send("Update", {
    Key: { forum: "é", subject: "first" },
    UpdateExpression: "ADD n :one REMOVE #d",
    ExpressionAttributeNames: { "#d": "data" },
    ExpressionAttributeValues: { ":one": 1 },
    ReturnValues: "UPDATED_NEW",
  });
  assert.deepEqual(updated.Attributes, { n: 2.5 });
  await assert.rejects(
    client.send(
      new lib.TransactWriteCommand({
        TransactItems: [
          { Put: { TableName, Item: { forum: "é", subject: "second" } } },
          { ConditionCheck: { TableName, Key: { forum: "no", subject: "no" }, ConditionExpression: "attribute_exists(forum)" } },
        ],
      }),
    ),
    (error) => error.CancellationReasons.map((reason) => reason.Code).join() === "None,ConditionalCheckFailed",
  );
  const statement = `SELECT subject FROM "${TableName}" WHERE forum = ? AND subject = ?`;
  const selected = await client.send(new lib.ExecuteStatementCommand({ Statement: statement, Parameters: ["é", "first"] }));
  assert.deepEqual(selected.Items, [{ subject: "first" }]);

  await send("DeleteTable", {});
  await sdk.waitUntilTableNotExists({ client: plain, maxWaitTime: 60 }, { TableName });
  plain.destroy();
  console.log("ok");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
