# Pages of a provider. Each text is one line, with values as in { $name } and nothing else of Fluent: the library reads it
# without Fluent, and the program with it.

# Errors that are shown to a user, each with its heading.
problem-mistake-title = This application made a mistake
problem-mistake = The application that sent you here asked in a way that cannot be understood. Nothing was granted.
problem-unknown-client = The application that sent you here is not known. Nothing was granted.
problem-redirect-uri = The application wants you to be sent to an address that is not registered for it. You were not sent there, and nothing was granted.
problem-client-document = The application that sent you here could not be identified: what it says of itself on its website cannot be had, or is wrong. Nothing was granted.
problem-client-documents-throttled = Too many applications that could not be identified were tried from here. Nothing was granted. Please try again in a while.
problem-not-granted-title = Nothing was granted
problem-unasked = An application that you have not let in asked to go on without asking you.
problem-other-user-required = An application requires that somebody else be signed in than you.
problem-stronger-sign-in = An application requires a stronger sign-in than yours.
problem-denied = You said no to an application that nobody here knows. It was not told.
problem-user-refused = This site lets no application in for your account at present.
problem-user-gone = The account with which you signed in is closed. Nothing was granted.
problem-out-of-date-title = This page is out of date
problem-out-of-date = Nothing was granted. Go back to the application and start again.
problem-out-of-date-again = Nothing was granted. Try again, or go back to the application and start there.
problem-other-browser = This page was opened in another browser, or this one no longer has its cookie: cookies are blocked, or many such pages were opened after it. Go back to the application and start again, with cookies allowed.
problem-other-browser-again = This page was opened in another browser, or this one no longer has its cookie: cookies are blocked, or many such pages were opened after it. Try again with cookies allowed, or go back to the application and start there.
problem-other-user = Somebody else has signed in since this page was opened. Go back to the application and start again.
problem-other-user-again = Somebody else has signed in since this page was opened. Try again, or go back to the application and start there.
problem-answered-title = Already answered
problem-answered = You have answered this question before. Go back to the application; if it still waits for you, start there again.
problem-answered-again = You have answered this question before. Go back to the application; if it still waits for you, try again.
problem-not-set-up-title = This site is not set up for this
problem-not-set-up = It is not your fault. Nothing was granted.
problem-failed-title = Something went wrong here
problem-failed = It is not your fault. Please try again in a while.
problem-logout-title = You were not signed out
problem-logout-mistake = The application that sent you here asked in a way that cannot be understood. You were not signed out.
problem-logout-redirect-uri = The application wants you to be sent to an address that is not registered for it. You were not sent there, and not signed out.
problem-logout-out-of-date = This page is out of date. You were not signed out. Go back to the application and start again.

# Links, and pages after an answer.
code-label = Code:
back-to-site = Back to the site
try-again = Try again
go-to = Go to { $destination }
verifier-title = Your code for { $client }
verifier-text = Type it in there, and nowhere else:
not-let-in-title = { $client } was not let in
not-let-in = Nothing was granted. You can close this page.
device-allowed-title = { $client } has access
device-allowed = Go back to your device: it goes on by itself in a few seconds. You can close this page.
signed-in-title = You are signed in
signed-in-frames = Applications learn who has signed out.
signed-out-title = You are signed out
signed-out-close = You can close this page.
form-post-title = Back to the application
form-post-button = Go back to { $destination }
