//! Bodies larger than they may be, than they say, and without an end.

mod sqlite {
    use std::time::Duration;

    use crate::pressure::held::Held;
    use crate::pressure::{Attack, World};
    use crate::support::server::Installation;

    /// Sends bodies that begin like this over two hundred connections at once, as fast as they are taken.
    fn pours(framing: &str, piece: &[u8]) {
        let world = World::warm(Installation::sqlite());
        let head = format!(
            "POST /qa/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n{framing}\r\n\r\n"
        );
        let address = world.server.public();
        world.stands(|attack: &Attack| {
            let mut held = Held::open(address, 200, head.as_bytes());
            attack.is_underway();
            while attack.goes_on_after(Duration::from_millis(10)) {
                held.send(piece);
                held.fill(200);
            }
            assert!(held.shut > 200, "more than were held at a time are shut: {}", held.shut);
        });
    }

    #[test]
    fn bodies_that_say_they_are_huge_keep_nobody_out() {
        pours("Content-Length: 1099511627776", &[b'x'; 0x4000]);
    }

    #[test]
    fn bodies_without_an_end_keep_nobody_out() {
        let piece = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
        pours("Transfer-Encoding: chunked", &piece);
    }

    #[test]
    fn bodies_of_another_protocol_keep_nobody_out() {
        pours("Connection: upgrade\r\nUpgrade: websocket", &[b'x'; 0x4000]);
    }
}
