//! Keys of servers are changed by their file, and nothing is restarted.

use std::fs;

use crate::harness::{Pair, Setup, World, hash_of};

/// A payment that nobody has: 404 is behind the door, 401 before it.
const NOBODYS: &str = "/v1/payments/0190b0a0-0000-7000-8000-000000000000";

async fn status(world: &World, key: &str) -> u16 {
    world.get_as(&format!("Bearer {key}"), NOBODYS).await.status
}

async fn becomes(world: &World, key: &str, expected: u16) {
    world
        .eventually(&format!("{key} is answered {expected}"), async |world| {
            (status(world, key).await == expected).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_changed_by_their_file_and_a_bad_file_changes_nothing() {
    let mut world = World::prepare(Pair::Embedded, Setup::default()).await;
    let file = world.folder.join("keys");
    fs::write(&file, hash_of("old")).unwrap();
    for (name, value) in [
        ("CONNECTOR_AUTH__MODE", "api_key".to_owned()),
        (
            "CONNECTOR_AUTH__API_KEY_HASHES_FILE",
            file.display().to_string(),
        ),
    ] {
        world.env.insert(name.to_owned(), value);
    }
    world.run("all", &[]);
    world.ready(&world.ops.clone()).await;
    assert_eq!(
        (status(&world, "old").await, status(&world, "new").await),
        (404, 401)
    );
    let both = format!("# until July\n{}\n{}\n", hash_of("old"), hash_of("new"));
    fs::write(&file, both).unwrap();
    becomes(&world, "new", 404).await;
    assert_eq!(status(&world, "old").await, 404);
    // As a mounted secret changes: another file in its place.
    let next = world.folder.join("keys.next");
    fs::write(&next, format!("{}\n", hash_of("new"))).unwrap();
    fs::rename(&next, &file).unwrap();
    becomes(&world, "old", 401).await;
    assert_eq!(status(&world, "new").await, 404);
    let unusable = "connector_api_key_file_unusable";
    for bad in ["", "not a hash"] {
        fs::write(&file, bad).unwrap();
        world
            .eventually("the file is unusable", async |world| {
                (world.metric(unusable).await == 1.0).then_some(())
            })
            .await;
        assert_eq!(status(&world, "new").await, 404);
        assert_eq!(status(&world, "").await, 401);
    }
    fs::remove_file(&file).unwrap();
    fs::write(&file, hash_of("newest")).unwrap();
    becomes(&world, "newest", 404).await;
    assert_eq!(world.metric(unusable).await, 0.0);
    assert_eq!(status(&world, "new").await, 401);
    let logs = world.logs();
    assert!(logs.contains("there is no key in it"), "{logs}");
    assert!(!logs.contains(&hash_of("new")) && !logs.contains("not a hash"));
}
