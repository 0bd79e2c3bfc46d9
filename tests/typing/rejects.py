"""What a type checker must reject, each line with the rules that name it (see test_typing.py)."""

from decimal import Decimal

from forum import Cart, Colour, Customer, ForumThread, Letter, Order, Part, Person, Picture, Sheet

import dynamix

thread = ForumThread(forum_id="science", thread_id="physics_1", author="me")

length = len(thread.title)  # rejected: arg-type, reportArgumentType
thread.titel = "x"  # rejected: attr-defined, reportAttributeAccessIssue
thread.title = 3  # rejected: assignment, reportAttributeAccessIssue
thread.forum_id = None  # rejected: assignment, reportAttributeAccessIssue
ForumThread.title.eq(3)  # rejected: arg-type, reportArgumentType
ForumThread.votes.gte("3")  # rejected: arg-type, reportArgumentType
misspelt = ForumThread.titel  # rejected: attr-defined, reportAttributeAccessIssue
thread.set_field(ForumThread.title, 3)  # rejected: misc, reportArgumentType
thread.add_to_field(ForumThread.title, 1)  # rejected: misc, reportArgumentType
thread.append_to_listfield(ForumThread.tags, "x")  # rejected: arg-type, reportArgumentType
thread.votes = "3"  # rejected: assignment, reportAttributeAccessIssue
thread.votes = 1.5  # rejected: assignment, reportAttributeAccessIssue
thread.updated_at = None  # rejected: assignment, reportAttributeAccessIssue
thread.tags = ["x"]  # rejected: assignment, reportAttributeAccessIssue
thread.key_value_data = {1: "x"}  # rejected: dict-item, reportAttributeAccessIssue
thread.due = "2026-01-01"  # rejected: assignment, reportAttributeAccessIssue
thread.closed = 1  # rejected: assignment, reportAttributeAccessIssue
ForumThread.title.is_in([3])  # rejected: list-item, reportArgumentType
ForumThread.title.between("a", 3)  # rejected: arg-type, reportArgumentType
ForumThread.title.attribute_type("X")  # rejected: arg-type, reportArgumentType
ForumThread.query().where("title")  # rejected: arg-type, reportArgumentType
ForumThread.query().wehre()  # rejected: attr-defined, reportAttributeAccessIssue
ForumThread.scan().order(asc=True)  # rejected: attr-defined, reportAttributeAccessIssue
ForumThread.query().select("title")  # rejected: arg-type, reportArgumentType
ForumThread.query().update(ForumThread.votes.add("1"))  # rejected: arg-type, reportArgumentType
wrong = ForumThread.scan().get_items()[0][0].titel  # rejected: attr-defined, reportAttributeAccessIssue
ForumThread("science")  # rejected: call-arg, reportCallIssue
dynamix.create_table(thread)  # rejected: arg-type, reportArgumentType
dynamix.set_connection(region="eu-west-1")  # rejected: call-arg, reportCallIssue
ForumThread.scan(on_error="ignore")  # rejected: arg-type, reportArgumentType
ix: dynamix.IndexOptions = {"hash_key": "a", "x": 1}  # rejected: typeddict-unknown-key, reportAssignmentType
thread.add_to_field(ForumThread.votes, 1.5)  # rejected: misc, reportArgumentType
dynamix.CharField(pattern=5)  # rejected: call-overload, reportArgumentType
Sheet.version.eq("1")  # rejected: arg-type, reportArgumentType
dynamix.CharField(unique="yes")  # rejected: call-overload, reportArgumentType
dynamix.VersionField(default=1)  # rejected: call-arg, reportCallIssue
Sheet.modify(len, name="plan")  # rejected: arg-type, reportArgumentType
dynamix.TTLField(hash_key=True)  # rejected: call-overload, reportCallIssue
dynamix.TTLField(default="soon")  # rejected: call-overload, reportArgumentType+reportCallIssue
dynamix.TTLField(hide_expired="soon")  # rejected: call-overload, reportArgumentType
dynamix.Connection(embedded=True, on_response=5)  # rejected: arg-type, reportArgumentType
ForumThread.votes.add("x")  # rejected: arg-type, reportArgumentType
ForumThread.votes.add(1.5)  # rejected: arg-type, reportArgumentType
ForumThread.title.add(1)  # rejected: arg-type, reportAttributeAccessIssue
ForumThread.title.set(3)  # rejected: arg-type, reportArgumentType
ForumThread.title.set(ForumThread.votes)  # rejected: arg-type, reportArgumentType
ForumThread.votes.set(ForumThread.score + 1)  # rejected: arg-type, reportArgumentType
ForumThread.title.set_if_missing(None)  # rejected: arg-type, reportArgumentType
ForumThread.tags.append(1)  # rejected: misc, reportAttributeAccessIssue
ForumThread.votes.delete({1})  # rejected: misc, reportAttributeAccessIssue
ForumThread.tags.add(1)  # rejected: call-overload, reportArgumentType
sum_of_kinds = ForumThread.votes + ForumThread.title  # rejected: operator, reportOperatorIssue
ForumThread.votes += 1  # rejected: assignment, reportAttributeAccessIssue
thread.change(ForumThread.title == "x")  # rejected: arg-type, reportArgumentType
sum_of_text = ForumThread.title + 1  # rejected: operator, reportOperatorIssue
tx = dynamix.transaction()
tx.save(ForumThread)  # rejected: type-var, reportArgumentType
tx.check(ForumThread, True, forum_id="science", thread_id="physics_1")  # rejected: arg-type, reportArgumentType
tx.update(ForumThread, ForumThread.title == "x")  # rejected: arg-type, reportArgumentType
made: str = tx.put(thread)  # rejected: assignment, reportAssignmentType
dynamix.transaction(token=5)  # rejected: arg-type, reportArgumentType
(found,) = dynamix.transact_get(thread.get_primary_key_dict())
name: str = found  # rejected: assignment, reportAssignmentType
tx.put(thread).titel = "x"  # rejected: attr-defined, reportAttributeAccessIssue
b = dynamix.batch()
b.put(thread).titel = "x"  # rejected: attr-defined, reportAttributeAccessIssue
put_as_text: str = b.put(thread)  # rejected: assignment, reportAssignmentType
dynamix.batch(progress=5)  # rejected: arg-type, reportArgumentType
dynamix.batch_get({"number": "1"})  # rejected: arg-type, reportArgumentType
dynamix.partiql("SELECT ...", model=str)  # rejected: type-var, reportArgumentType
dynamix.partiql("SELECT ...", 5)  # rejected: call-overload, reportArgumentType
dynamix.partiql_batch("SELECT ...")  # rejected: arg-type, reportArgumentType
part = Part(digest=b"x")
part.colour = "r"  # rejected: assignment, reportAttributeAccessIssue
part.state = "gone"  # rejected: assignment, reportAttributeAccessIssue
part.price = 1.5  # rejected: assignment, reportAttributeAccessIssue
Part.price.eq(1.5)  # rejected: arg-type, reportArgumentType
Part.state.eq("gone")  # rejected: arg-type, reportArgumentType
Part.rate.begins_with("1")  # rejected: misc, reportAttributeAccessIssue
ForumThread.votes.begins_with("1")  # rejected: misc, reportAttributeAccessIssue
ForumThread.tags.begins_with("1")  # rejected: misc, reportAttributeAccessIssue
Part.id.begins_with("1")  # rejected: misc, reportAttributeAccessIssue
Part.digest.begins_with("1")  # rejected: arg-type, reportArgumentType
Part.title.begins_with(b"1")  # rejected: arg-type, reportArgumentType
dynamix.DecimalField(places="2")  # rejected: call-overload, reportArgumentType
dynamix.EnumField("Colour")  # rejected: call-overload, reportArgumentType
dynamix.EnumField(Colour, by="colour")  # rejected: call-overload, reportArgumentType
dynamix.JSONField(stored="json")  # rejected: call-overload, reportArgumentType
dynamix.BinaryField(hash_key=True, default="x")  # rejected: call-overload, reportArgumentType
cost: Decimal = part.cost  # rejected: assignment, reportAssignmentType
dynamix.CharField(choices=[1])  # rejected: list-item, reportArgumentType
dynamix.DateField(minimum="2026")  # rejected: call-overload, reportArgumentType
dynamix.CharField(transform="lower")  # rejected: arg-type, reportArgumentType
dynamix.BooleanField(maximum=1)  # rejected: call-overload, reportCallIssue
cart = Cart(id="c")
cart.counts = ["x"]  # rejected: list-item, reportAttributeAccessIssue
cart.prices = {"a": "1"}  # rejected: dict-item, reportAttributeAccessIssue
cart.ids = {"x"}  # rejected: arg-type, reportAttributeAccessIssue
total: str = cart.colours[0]  # rejected: assignment, reportAssignmentType
dynamix.ListField(of="int")  # rejected: call-overload, reportArgumentType+reportCallIssue
dynamix.DateTimeField(stored="java")  # rejected: call-overload, reportArgumentType
dynamix.TimeDeltaField(stored="number")  # rejected: call-overload, reportArgumentType
Letter(id="l").salary = 1.5  # rejected: assignment, reportAttributeAccessIssue
Letter.secret.set(5)  # rejected: arg-type, reportArgumentType
dynamix.EncryptedField(str, "key")  # rejected: call-overload, reportArgumentType
dynamix.CompressedField(str, algorithm="lz4")  # rejected: call-overload, reportArgumentType
Person.length.eq("3")  # rejected: arg-type, reportArgumentType
dynamix.KeyField("{a}", default="x")  # rejected: call-overload, reportArgumentType
dynamix.repeat_writes("always")  # rejected: arg-type, reportArgumentType
dynamix.Connection(embedded=True, repeat_writes=True)  # rejected: arg-type, reportArgumentType
dynamix.OutcomeUnknownError("x").resolve(unique="number")  # rejected: arg-type, reportArgumentType
dynamix.OutcomeUnknownError("x").resolve(connection="here")  # rejected: arg-type, reportArgumentType
Order.of_customer(1)  # rejected: arg-type, reportArgumentType
Order.of_customer("1", below=3)  # rejected: call-arg, reportCallIssue
dynamix.Table(3)  # rejected: call-overload, reportArgumentType+reportCallIssue
dynamix.DiscriminatorField(unknown="skip")  # rejected: arg-type, reportArgumentType
dynamix.DiscriminatorField(default="x")  # rejected: call-arg, reportCallIssue
dynamix.Table(Customer, Order).query().grouped()["Order"]  # rejected: index, reportArgumentType


@dynamix.access_pattern  # rejected: type-var, reportArgumentType+reportCallIssue+reportUntypedFunctionDecorator
def no_query(cls: type[Order]) -> int:
    """An access pattern gives a query or a scan."""
    return 1


ForumThread.query().use_index(5)  # rejected: arg-type, reportArgumentType
ForumThread.query().use_index(ForumThread.by_auhtor)  # rejected: attr-defined, reportAttributeAccessIssue
dynamix.GlobalIndex(range_key="state")  # rejected: call-arg, reportCallIssue
dynamix.GlobalIndex(hash_key=5)  # rejected: arg-type, reportArgumentType
dynamix.LocalIndex(range_key="state", projections=5)  # rejected: arg-type, reportArgumentType
ForumThread.scan(segments="8")  # rejected: arg-type, reportArgumentType
ForumThread.scan(progress=5)  # rejected: arg-type, reportArgumentType
ForumThread.query().split(4)  # rejected: attr-defined, reportAttributeAccessIssue
dynamix.VectorField()  # rejected: call-overload, reportCallIssue
dynamix.VectorField(dimensions=3, distance="near")  # rejected: call-overload, reportArgumentType
dynamix.VectorIndex(Picture.kind)  # rejected: arg-type, reportArgumentType
Picture.search(Picture.kind, near=[1, 2, 3])  # rejected: arg-type, reportArgumentType
Picture.search(Picture.near, near="123")  # rejected: arg-type, reportArgumentType
Picture.query().use_index(Picture.near)  # rejected: arg-type, reportArgumentType
