"""Days and their calendar fields as `java.util.GregorianCalendar` has them, in UTC: Julian before 1582-10-15, weeks
that begin on Sunday, week 1 the one with January 1, and fields beyond their range carried over (lenient).

Days are counted from 1970-01-01; years are astronomical (0 is 1 BC). Weekdays: 1 is Sunday, 7 Saturday.
"""

from typing import Final, NamedTuple

DAY_MS: Final = 86_400_000
CUTOVER_YEAR: Final = 1582
CUTOVER_DAY: Final = -141_427
"""1582-10-15, the first day of the Gregorian calendar."""
_SUNDAY: Final = 3
"""1970-01-04."""


class Moment(NamedTuple):
    """The fields of one point in time."""

    year: int
    month: int
    day: int
    day_of_year: int
    weekday: int
    hour: int
    minute: int
    second: int
    milli: int

    @property
    def _days_gone(self) -> int:
        """The days of the month before this one; ten were left out in October 1582."""
        return self.day - (11 if (self.year, self.month) == (CUTOVER_YEAR, 10) and self.day >= 15 else 1)

    @property
    def weekday_in_month(self) -> int:
        return self._days_gone // 7 + 1

    @property
    def week_of_month(self) -> int:
        return (self._days_gone + (self.weekday - 1 - self._days_gone) % 7) // 7 + 1

    @property
    def week_date(self) -> tuple[int, int]:
        """Week year and week of the year."""
        if self.month == 12 and self.day + 7 - self.weekday > 31:
            return self.year + 1, 1
        return self.year, (self.day_of_year - 1 + (self.weekday - self.day_of_year) % 7) // 7 + 1


def first_of_month(year: int, month: int, *, julian: bool) -> int:
    """The day number of the first of a month; months beyond 1 to 12 are carried over."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    shifted = year - (month <= 2)
    days = (153 * ((month + 9) % 12) + 2) // 5 + 365 * shifted + shifted // 4
    return days - 719_470 if julian else days - shifted // 100 + shifted // 400 - 719_468


def date_of_day(day: int) -> tuple[int, int, int]:
    """Year, month and day of the month of a day number."""
    julian = day < CUTOVER_DAY
    year = (day + 719_470) * 4 // 1461 if julian else (day + 719_468) * 400 // 146_097
    while first_of_month(year, 1, julian=julian) > day:
        year -= 1
    while first_of_month(year + 1, 1, julian=julian) <= day:
        year += 1
    month = 1 + max(0, min(11, (day - first_of_month(year, 1, julian=julian)) // 29))
    while first_of_month(year, month, julian=julian) > day:
        month -= 1
    return year, month, day - first_of_month(year, month, julian=julian) + 1


def moment(millis: int) -> Moment:
    """The fields of milliseconds since 1970."""
    day, of_day = divmod(millis, DAY_MS)
    year, month, of_month = date_of_day(day)
    day_of_year = day - first_of_month(year, 1, julian=day < CUTOVER_DAY) + 1
    if year == CUTOVER_YEAR and day >= CUTOVER_DAY:
        day_of_year = day - first_of_month(year, 1, julian=True) + 1
    seconds, milli = divmod(of_day, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return Moment(year, month, of_month, day_of_year, weekday(day), hour, minute, second, milli)


def weekday(day: int) -> int:
    return (day - _SUNDAY) % 7 + 1


def _on_or_before(day: int, wanted: int) -> int:
    """The last day up to `day` that is the weekday `wanted`."""
    return day - (day - _SUNDAY - (wanted - 1)) % 7


class CalendarFields:
    """Fields as a parser meets them, and the time that they make: of fields that disagree, the later ones win."""

    def __init__(self) -> None:
        self._values: dict[str, int] = {}
        self._stamps: dict[str, int] = {}
        self._clock = 0

    def set(self, name: str, value: int) -> None:
        self._values[name] = value
        self._clock += 1
        self._stamps[name] = self._clock

    def add_century(self) -> None:
        for name in ("year", "week_year"):
            if name in self._values:
                self._values[name] += 100

    def millis(self) -> int:
        """Milliseconds since 1970, as a Java long: beyond its range they wrap around."""
        of_day = ((self._hour() * 60 + self._get("minute")) * 60 + self._get("second")) * 1000 + self._get("milli")
        carried, of_day = divmod(of_day, DAY_MS)
        if self._stamp("week_year") > self._stamp("year"):
            day = self._week_date() + carried
        else:
            day = self._day_in_force(carried)
        millis = day * DAY_MS + of_day - self._get("zone")
        return (millis + 2**63) % 2**64 - 2**63

    def _get(self, name: str, default: int = 0) -> int:
        return self._values.get(name, default)

    def _stamp(self, *names: str) -> int:
        """When these fields, all of them set, were complete; 0 where one is not."""
        return max(self._stamps[name] for name in names) if all(name in self._stamps for name in names) else 0

    def _hour(self) -> int:
        of_day, of_half = self._stamp("hour24"), self._stamp("hour12", "am_pm")
        if max(of_day, of_half) == 0:
            of_half = max(self._stamp("hour12"), self._stamp("am_pm"))
        return self._get("hour24") if of_day >= of_half else self._get("hour12") + 12 * self._get("am_pm")

    def _week_date(self) -> int:
        week, wanted = self._get("week_of_year", 1), self._get("weekday", 1)
        if not 1 <= wanted <= 7:
            week, wanted = week + (wanted - 1) // 7, _calendar_weekday((wanted - 1) % 7 + 1)
        year = self._get("week_year")
        first = first_of_month(year, 1, julian=year <= CUTOVER_YEAR)
        return _on_or_before(first, 1) + wanted - 1 + 7 * (week - 1)

    def _year(self) -> int:
        year, era = self._get("year", 1970), self._get("era", 1)
        return 1 - year if era == 0 else year

    def _day_in_force(self, carried: int) -> int:
        """The day, `carried` days later, by the calendar that was in force then."""
        year, way = self._year(), self._way()
        if year < CUTOVER_YEAR or (year == CUTOVER_YEAR and way in ("day_of_year", "week_of_year")):
            return self._day(year, way, julian=True) + carried
        day = self._day(year, way, julian=False) + carried
        return day if day >= CUTOVER_DAY else self._day(year, way, julian=True) + carried

    def _way(self) -> str:
        """Which field, with those that go with it, decides the day: the one that was set last."""
        ways = {
            "day": self._stamp("day"),
            "week_of_month": self._stamp("week_of_month", "weekday"),
            "weekday_in_month": self._stamp("weekday_in_month", "weekday"),
            "day_of_year": self._stamp("day_of_year"),
            "week_of_year": self._stamp("week_of_year", "weekday"),
        }
        best = max(ways.values())
        if best == 0:
            ways = {
                "week_of_month": self._stamp("week_of_month"),
                "weekday_in_month": max(self._stamp("weekday_in_month"), self._stamp("weekday")),
                "week_of_year": self._stamp("week_of_year"),
            }
            best = max(ways.values())
        if best == 0:
            return "day"
        tied = [way for way, stamp in ways.items() if stamp == best]
        return max(tied, key=lambda way: self._stamp(way))

    def _day(self, year: int, way: str, *, julian: bool) -> int:
        if way in ("day_of_year", "week_of_year"):
            first = first_of_month(year, 1, julian=julian)
            if way == "day_of_year":
                return first + self._get("day_of_year") - 1
            return self._in_week(first, self._get("week_of_year"))
        first = first_of_month(year, self._get("month", 1), julian=julian)
        if way == "day":
            return first + self._get("day", 1) - 1
        if way == "week_of_month":
            return self._in_week(first, 0) + _java_int(7 * self._get("week_of_month"))
        wanted, count = self._get("weekday", 1), self._get("weekday_in_month", 1)
        if count >= 0:
            return _on_or_before(first + _java_int(7 * count) - 1, wanted)
        length = first_of_month(year, self._get("month", 1) + 1, julian=julian) - first
        return _on_or_before(first + length + _java_int(7 * (count + 1)) - 1, wanted)

    def _in_week(self, first: int, week: int) -> int:
        """The day of a week that is counted from the one in which `first` lies."""
        start = _on_or_before(first, 1)
        return _on_or_before(start + 6, self._get("weekday", 1)) + 7 * (week - 1)


def _java_int(number: int) -> int:
    """32 bits, as Java multiplies."""
    return (number + 2**31) % 2**32 - 2**31


def _calendar_weekday(iso: int) -> int:
    return iso % 7 + 1


def iso_weekday_to_calendar(value: int) -> int:
    """1 (Monday) to 7 (Sunday) as 2 to 7 and 1; others as they are, to be carried over."""
    return _calendar_weekday(value) if 1 <= value <= 7 else value
