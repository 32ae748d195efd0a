"""The ways of cleaning that are compared."""

from preprocessing.speech_settings import CleaningSettings

GAIN_FLOORS_DB = (-6.0, -10.0, -15.0)

CLEANING_VARIANTS: dict[str, CleaningSettings] = {
    "nothing": CleaningSettings(clean="none", band_pass=False),
    "band-pass": CleaningSettings(clean="none"),
    **{
        f"Wiener, tracked, floor {floor_db:.0f} dB": CleaningSettings(
            clean="wiener", wiener="tracked", gain_floor_db=floor_db
        )
        for floor_db in GAIN_FLOORS_DB
    },
    **{
        f"Wiener, percentile, floor {floor_db:.0f} dB": CleaningSettings(
            clean="wiener", wiener="percentile", gain_floor_db=floor_db
        )
        for floor_db in GAIN_FLOORS_DB[::2]
    },
}
