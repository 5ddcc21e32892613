// Swagger UI with the OpenAPI document of this service; no request goes to another host.
SwaggerUIBundle({
  domNode: document.getElementById("api"),
  url: document.getElementById("api").dataset.schema,
  deepLinking: true,
  displayOperationId: true,
  // The stock validator is an external service.
  validatorUrl: null,
  requestInterceptor: (request) => {
    // Requests with a session of the admin need its CSRF token for writes.
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/);
    if (token && !request.headers.Authorization) {
      request.headers["X-CSRFToken"] = decodeURIComponent(token[1]);
    }
    return request;
  },
});
