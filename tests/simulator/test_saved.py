from pathlib import Path

from simulator import people
from simulator.saved import Folder, phone_image
from simulator.world import World
from tests.simulator.scripted import Stage


def test_a_world_is_the_same_after_it_was_written_and_read(tmp_path: Path) -> None:
    stage = Stage()
    anna, ben = stage.phone("491511000001", "Anna"), stage.phone("491511000002", "Ben")
    client = stage.client(anna)
    client.send(ben, "hello", "A1")
    people.say(stage.hub, ben, anna.number, "hi")
    anna.contacts[ben.number] = "Ben in the book"
    folder, again = Folder(tmp_path), World()
    for phone in (anna, ben):
        folder.save(phone)
    folder.load(again)
    assert [phone_image(phone) for phone in again] == [phone_image(anna), phone_image(ben)]
    assert again.find(anna.lid) is again.phone(anna.number)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["491511000001.json", "491511000002.json"]
