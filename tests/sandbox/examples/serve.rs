//! An offline Telegram with its page, for a bot in any language.
//!
//! `cargo run -p telegram-sandbox --example serve`

use telegram_sandbox::Sandbox;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let sandbox = Sandbox::start().await;
    sandbox.forgive();
    sandbox.person(1, "Администратор").await;
    sandbox.newcomer(101, "Анна").await;
    sandbox.newcomer(102, "Борис").await;
    let page = sandbox.serve_page(8181).await?;
    println!("The page:   {}", page.address());
    println!("API url:    {}", sandbox.url());
    println!("Token:      {}", sandbox.token());
    println!("People:     1 (the administrator), 101, 102; more can be added on the page");
    println!("Ctrl-C ends everything.");
    std::future::pending().await
}
