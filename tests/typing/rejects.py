"""What a type checker must reject, each line with the rules that name it (see test_typing.py)."""

from forum import ForumThread

thread = ForumThread(forum_id="science", thread_id="physics_1", author="me")

length = len(thread.title)  # rejected: arg-type, reportArgumentType
thread.titel = "x"  # rejected: attr-defined, reportAttributeAccessIssue
thread.title = 3  # rejected: assignment, reportAttributeAccessIssue
thread.forum_id = None  # rejected: assignment, reportAttributeAccessIssue
ForumThread.title.eq(3)  # rejected: arg-type, reportArgumentType
ForumThread.votes.gte("3")  # rejected: arg-type, reportArgumentType
misspelt = ForumThread.titel  # rejected: attr-defined, reportAttributeAccessIssue
thread.set_field(ForumThread.title, 3)  # rejected: misc, reportArgumentType
thread.add_to_field(ForumThread.title, 1)  # rejected: arg-type, reportArgumentType
thread.append_to_listfield(ForumThread.tags, "x")  # rejected: arg-type, reportArgumentType
