"""What the short reasons of the manifests say to people who gave two files."""

REASONS = {
    "missing": "there is no such file",
    "unreadable_audio": "it cannot be decoded as sound",
    "empty_audio": "it holds no sound",
    "no_sound": "the video has no sound",
    "odd_sample_rate": "its sample rate is not that of speech",
    "not_finite": "it holds samples that are NaN or infinite",
    "too_short": "it is too short, or too little of it is speech",
    "no_speech": "nobody speaks in it",
    "no_keynote_speech": "nobody speaks alone for long enough",
    "unreadable_image": "it cannot be decoded as an image",
    "truncated_image": "the end of the image is missing",
    "unreadable_video": "it cannot be decoded as a video",
    "no_video": "it has no pictures",
    "too_large": "it declares more pixels than are decoded",
    "decoder_crashed": "its decoder crashed; the file is damaged",
    "decoder_timeout": "decoding it takes too long; the file is damaged",
    "decoder_memory": "decoding it takes too much memory; the file is damaged",
    "no_face": "no face was found in it",
    "no_keynote_face": "it does not show the person whom the rest of the video shows",
}


def explained(reason: str) -> str:
    """The reason with its meaning.

    >>> explained("no_face")
    'no_face: no face was found in it'
    """
    meaning = REASONS.get(reason)
    return f"{reason}: {meaning}" if meaning else reason
