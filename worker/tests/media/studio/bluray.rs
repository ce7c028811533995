//! Subtitles as pictures, which ffmpeg cannot make itself.

/// Subtitles of a Blu-ray disc: one white picture of 32×8 pixels near the bottom, shown between these milliseconds.
pub(crate) fn bluray(start: u32, end: u32) -> Vec<u8> {
    let segment = |milliseconds: u32, kind: u8, data: &[u8]| {
        let length = u16::try_from(data.len()).expect("short");
        let mut bytes = b"PG".to_vec();
        bytes.extend((milliseconds * 90).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.push(kind);
        bytes.extend(length.to_be_bytes());
        bytes.extend(data);
        bytes
    };
    let composition = |number: u8, state: u8, objects: &[u8]| {
        [&[0, 160, 0, 90, 0x10, 0, number, state, 0, 0], objects].concat()
    };
    let window = [1, 0, 0, 64, 0, 70, 0, 32, 0, 8];
    let rows = [[1; 32].as_slice(), &[0, 0]].concat().repeat(8);
    let [high, low] = u16::try_from(rows.len() + 4).expect("short").to_be_bytes();
    let picture = [&[0, 0, 0, 0xC0, 0, high, low, 0, 32, 0, 8], rows.as_slice()].concat();
    let objects = [1, 0, 0, 0, 0, 0, 64, 0, 70];
    [
        segment(start, 0x16, &composition(0, 0x80, &objects)),
        segment(start, 0x17, &window),
        segment(start, 0x14, &[0, 0, 1, 235, 128, 128, 255]),
        segment(start, 0x15, &picture),
        segment(start, 0x80, &[]),
        segment(end, 0x16, &composition(1, 0, &[0])),
        segment(end, 0x17, &window),
        segment(end, 0x80, &[]),
    ]
    .concat()
}
