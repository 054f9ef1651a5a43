"""Leader epochs: where each began, and where it ended."""

from pathlib import Path

from headrace.log.epochs import UNDEFINED, LeaderEpochs


def test_the_end_of_an_epoch_is_the_start_of_the_next() -> None:
    epochs = LeaderEpochs([(0, 0), (1, 10), (4, 30)])
    assert epochs.end_of(0, 50) == (0, 10)
    assert epochs.end_of(1, 50) == (1, 30)
    assert epochs.end_of(3, 50) == (1, 30)
    assert epochs.end_of(4, 50) == (4, 50)
    assert epochs.end_of(5, 50) == UNDEFINED
    assert epochs.end_of(-1, 50) == UNDEFINED


def test_an_epoch_without_records_is_forgotten() -> None:
    epochs = LeaderEpochs()
    epochs.raise_at(5)
    epochs.raise_at(5)
    assert (epochs.latest, epochs.at(4), epochs.at(5)) == (2, 0, 2)


def test_what_retention_took_is_forgotten_but_for_where_the_log_begins() -> None:
    epochs = LeaderEpochs([(0, 0), (1, 10), (4, 30)])
    epochs.truncate_from_start(20)
    assert epochs.end_of(0, 50) == (0, 20)
    assert (epochs.at(20), epochs.at(30)) == (1, 4)


def test_the_checkpoint_is_kafkas(tmp_path: Path) -> None:
    LeaderEpochs([(0, 0), (3, 17)]).save(tmp_path)
    assert (tmp_path / "leader-epoch-checkpoint").read_text() == "0\n2\n0 0\n3 17\n"
    assert LeaderEpochs.load(tmp_path).end_of(0, 20) == (0, 17)
